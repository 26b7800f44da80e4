import { html } from "../html.js";
import { insert } from "./box.js";
import { useStore } from "./use.js";

const MUTE_S = 600;
const STATUSES = /** @type {const} */ (["online", "away", "dnd"]);

/**
 * What may be done about somebody.
 * @param {{person: import("../store/room.js").Person, room: import("../store/room.js").RoomState, close: () => void}} props
 */
export function MemberMenu({ person, room, close }) {
  const store = useStore();
  const say = store.say.value;
  const isMe = person.id === store.me.value?.id;
  const nick = person.nick;
  /** @param {string} action @param {any} more */
  const order = (action, more = {}) => room.handle.mod(action, { user: person.id, ...more });
  /** @param {() => unknown} act */
  const doing = (act) => async () => {
    /** @type {HTMLElement | null} */ (document.querySelector(".person[aria-expanded=true]"))?.focus();
    close();
    try {
      await act();
    } catch (error) {
      store.complain(error);
    }
  };
  /** @param {string} back */
  const undo = (back) => doing(() => order(back));
  const items = isMe ? [
    { name: "rename", run: () => { store.dialog.value = { name: "nick" }; } },
    ...STATUSES.filter((status) => status !== (person.status ?? "online")).map((status) => ({ name: `status-${status}`, run: () => store.chat.status(status) })),
  ] : [
    { name: "talk", run: () => { store.talkTo(person); store.panel.value = ""; } },
    { name: "mention", run: () => { store.panel.value = ""; insert(`@${nick} `); } },
  ];
  const powers = !isMe && !room.isDM && store.may("mod") ? [
    { name: "mute", run: async () => { await order("mute", { for_s: MUTE_S }); store.toast(say("muted-toast", { nick }), "undo", undo("unmute")); } },
    { name: "unmute", run: () => order("unmute") },
    { name: "kick", run: async () => { await order("kick"); store.toast(say("kicked-toast", { nick })); } },
    { name: "ban", run: async () => { await order("ban"); store.toast(say("banned-toast", { nick }), "undo", undo("unban")); } },
  ] : [];
  return html`<div class="menu" role="group" aria-label=${say("menu-of", { nick })}>
    ${[...items, ...powers].map((/** @type {any} */ item) => html`<button key=${item.name} class=${powers.includes(item) ? "danger" : ""} onClick=${doing(item.run)}>${say(item.name)}</button>`)}
  </div>`;
}

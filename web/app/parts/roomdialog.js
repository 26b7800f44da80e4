import { html } from "../html.js";
import { inviteLink } from "../invite.js";
import { Check, Select } from "./fields.js";
import { useStore } from "./use.js";

/** What concerns one room. @param {{close: () => void}} props */
export function RoomDialog({ close }) {
  const store = useStore();
  const say = store.say.value;
  const room = store.current.value;
  if (!room) return null;
  /** @param {any} event */
  const setTopic = (event) => {
    event.preventDefault();
    const value = event.target.topic.value.trim();
    if (value !== room.topic.peek()) void store.doing(() => room.handle.mod("topic", { value }));
    close();
  };
  const invite = () => store.doing(async () => {
    await navigator.clipboard.writeText(await inviteLink(store, room.name));
    store.toast(say("invite-copied"));
    close();
  });
  /** @param {"private" | "lock"} action */
  const order = (action) => (/** @type {boolean} */ on) => store.doing(() => room.handle.mod(action, { value: on ? "on" : "off" }));
  const slow = room.slow.value;
  const paces = [...new Set([0, 5, 30, 300, slow])].map((pace) => [`${pace}`, pace ? `${pace} s` : say("slow-off")]);
  const levels = ["", "all", "mentions", "none"].map((level) => [level, say(/** @type {any} */ (`notify-${level || "default"}`))]);
  return html`<p class="serif big">${room.isDM ? "" : "#"}${room.title.value}</p>
    ${store.may("mod") ? html`<form onSubmit=${setTopic}><label><span>${say("topic")}</span><input name="topic" maxlength="200" defaultValue=${room.topic.value} /></label>
      <p class="ends"><button class="primary" type="submit">${say("save")}</button></p></form>` : room.topic.value && html`<p>${room.topic.value}</p>`}
    ${store.may("mod") && !room.isDM && html`<${Check} label=${say("private-room")} value=${room.isPrivate.value} set=${order("private")} />
      <${Check} label=${say("lock-room")} value=${room.isLocked.value} set=${order("lock")} />
      <${Select} label=${say("slow-room")} value=${`${slow}`} options=${paces} set=${(/** @type {string} */ value) => store.doing(() => room.handle.mod("slow", { value }))} />`}
    ${store.may("mod") && room.isPrivate.value && html`<p class="ends"><button onClick=${invite}>${say("invite")}</button></p>`}
    <${Select} label=${say("notify-room")} value=${store.settings.levels.value[room.name] ?? ""} options=${levels} set=${(/** @type {any} */ level) => store.settings.setLevel(room.name, level)} />
    <p class="ends"><button class="danger" onClick=${() => { close(); store.leave(room); }}>${say(room.isDM ? "leave-dm" : "leave-room")}</button></p>`;
}

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { chord } from "../keys.js";
import { box } from "./box.js";
import { Icon } from "./icon.js";
import { Picker } from "./picker.js";

/** @typedef {import("../store/store.js").Store} Store */

// What is offered first as an answer to a message.
const QUICK = ["👍", "❤️", "😂"];

/** the message for which the picker of reactions is open */
const picking = signal(0);

/**
 * What may be done about the message that one points at, or has gone to by keys.
 * @param {{list: import("./list.js").List, room: import("../store/room.js").RoomState, store: Store}} props
 */
export function Actions({ list, room, store }) {
  const say = store.say.value;
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  const seq = picking.value || list.active.value;
  const message = room.messages.value.find((one) => one.seq === seq);
  const row = message && list.content.current?.querySelector(`[data-seq="${seq}"]`);

  useLayoutEffect(() => {
    if (!bar.current || !row) return;
    // Above the row, so that it hides none of it; below if there is no room.
    const { scrollTop } = list.scroller.current;
    const height = bar.current.offsetHeight;
    const above = row.offsetTop - height + (matchMedia("(hover: none)").matches ? -2 : 18);
    bar.current.style.top = `${above >= scrollTop ? above : row.offsetTop + row.offsetHeight - 2}px`;
  });

  if (!message || message.deleted || !row) return null;
  const can = room.can.value;
  const isMine = message.from.id === store.me.value?.id;
  const back = () => {
    picking.value = 0;
    list.active.value = 0;
    box()?.focus();
  };
  /** @param {string} emoji */
  const react = (emoji) => {
    const has = message.reactions?.[emoji]?.me;
    picking.value = 0;
    void store.doing(() => room.handle.react(seq, emoji, !has));
  };
  const nick = store.nickOf(message.from);
  const items = [
    can.includes("react") && { name: "react", icon: "smile", run: () => { picking.value = picking.value ? 0 : seq; } },
    can.includes("write") && { name: "reply", icon: "reply", run: () => { store.compose.value = { kind: "reply", seq }; back(); } },
    isMine && { name: "edit", icon: "pencil", run: () => { store.compose.value = { kind: "edit", seq }; back(); } },
    { name: "copy", icon: "copy", run: () => store.copy(String(message.text)) },
    (isMine || can.includes("delete")) && { name: "delete", icon: "bin", run: () => { store.dialog.value = { name: "delete", room, seq }; } },
  ].filter(Boolean);
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const keys = chord(event);
    if (keys === "Escape" && picking.value) {
      event.stopPropagation();
      picking.value = 0;
    }
    const step = { ArrowRight: 1, ArrowLeft: -1 }[keys];
    const target = /** @type {HTMLElement} */ (event.target);
    if (!step || target.tagName === "INPUT") return;
    const buttons = /** @type {HTMLElement[]} */ ([...(target.parentElement?.querySelectorAll("button") ?? [])]);
    buttons[(buttons.indexOf(target) + step + buttons.length) % buttons.length]?.focus();
  };
  return html`<div class="actions" role="toolbar" aria-label=${say("actions-of", { nick })} ref=${bar} onKeyDown=${onKeyDown}>
    ${can.includes("react") && QUICK.map((emoji) => html`<button key=${emoji} class="plain emoji" aria-label=${`${say("react")} ${emoji}`} onClick=${() => react(emoji)}>${emoji}</button>`)}
    ${items.map((/** @type {any} */ { name, icon, run }) => html`<button key=${name} class="plain ${name === "delete" ? "danger" : ""}" aria-label=${say(name)} title=${say(name)}
      aria-expanded=${name === "react" ? !!picking.value : undefined} onClick=${run}><${Icon} name=${icon} /></button>`)}
    ${picking.value > 0 && html`<${Picker} store=${store} pick=${react} close=${() => { picking.value = 0; }} />`}
  </div>`;
}

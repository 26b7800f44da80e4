import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { best } from "../complete.js";
import { chord } from "../keys.js";
import { useStore } from "./use.js";

/** Finding a room, by typing a part of its name, or making one. @param {{close: () => void}} props */
export function RoomsDialog({ close }) {
  const store = useStore();
  const say = store.say.value;
  const query = useSignal("");
  const index = useSignal(0);
  /** @type {import("@preact/signals").Signal<string[]>} */
  const known = useSignal([]);
  const list = useRef(/** @type {any} */ (null));
  useEffect(() => {
    store.chat.list().then((rooms) => { known.value = rooms.map((/** @type {any} */ { room }) => room).filter((/** @type {string} */ name) => !name.startsWith("dm:")); }, () => {});
  }, []);
  const own = [...store.rooms.value.values()];
  const titles = new Map(own.map((room) => [room.name, room.title.value]));
  const names = [...new Set([...titles.keys(), ...known.value])];
  const wish = query.value.trim().replace(/^#/, "");
  const found = wish ? best(names, (name) => titles.get(name) ?? name, wish) : names.slice(0, 50);
  const isNew = wish && !names.some((name) => name.toLowerCase() === wish.toLowerCase());
  const choices = isNew ? [...found, wish] : found;
  /** @param {string | undefined} name */
  const go = (name) => {
    if (!name) return;
    close();
    store.open(name);
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const keys = chord(event);
    const step = { ArrowDown: 1, ArrowUp: -1 }[keys];
    if (step) index.value = (index.value + step + choices.length) % Math.max(1, choices.length);
    else if (keys === "Enter") go(choices[index.value]);
    else return;
    event.preventDefault();
    list.current.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  };
  return html`<label class="vh" for="room-query">${say("room-name")}</label>
    <input id="room-query" type="search" autofocus autocomplete="off" maxlength="64" role="combobox" aria-expanded="true" aria-controls="room-choices" aria-autocomplete="list"
      aria-activedescendant="room-choice-${index.value}" placeholder=${say("room-name")} onKeyDown=${onKeyDown}
      onInput=${(/** @type {any} */ event) => { query.value = event.target.value; index.value = 0; }} />
    <ul id="room-choices" class="choices" role="listbox" aria-label=${say("rooms")} ref=${list}>${choices.map((name, place) => html`<li key=${name} id="room-choice-${place}" role="option"
      aria-selected=${place === index.value} onClick=${() => go(name)}>${isNew && place === choices.length - 1 ? say("create", { room: name })
      : html`<span class="hash">${name.startsWith("dm:") ? "@" : "#"}</span> <span dir="auto">${titles.get(name) ?? name}</span>`}</li>`)}</ul>`;
}

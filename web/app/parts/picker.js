import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { chord } from "../keys.js";
import { later, load } from "../lazy.js";

/**
 * Emoji to choose from, by eye or by name.
 * @param {{store: import("../store/store.js").Store, pick: (emoji: string) => void, close: () => void}} props
 */
export function Picker({ store, pick, close }) {
  const say = store.say.value;
  const query = useSignal("");
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    load().catch(() => {});
    root.current?.querySelector("input")?.focus();
    /** @param {PointerEvent} event */
    const away = (event) => { if (!root.current?.contains(/** @type {Node} */ (event.target)) && !(/** @type {Element} */ (event.target)).closest("[aria-expanded=true]")) close(); };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, []);
  const list = later.value;
  const groups = !list ? [] : query.value ? [list.find(query.value)] : list.GROUPED;
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const keys = chord(event);
    const all = /** @type {HTMLElement[]} */ ([...(root.current?.querySelectorAll(".grid button") ?? [])]);
    const here = all.indexOf(/** @type {HTMLElement} */ (event.target));
    const second = all.findIndex((one) => one.offsetTop > all[0].offsetTop);
    const row = second < 0 ? all.length : second; // how many stand in one depends on the page
    const step = { ArrowDown: here < 0 ? 1 : row, ArrowUp: -row, ArrowRight: 1, ArrowLeft: -1 }[keys];
    if (keys === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (keys === "Enter" && here < 0) {
      event.preventDefault();
      if (groups[0]?.[0]) pick(groups[0][0].emoji);
    } else if (step && (here >= 0 || keys === "ArrowDown")) {
      event.preventDefault();
      event.stopPropagation();
      if (here + step < 0) root.current?.querySelector("input")?.focus();
      else all[Math.min(all.length - 1, here + step)]?.focus();
    }
  };
  return html`<div class="picker" role="group" aria-label=${say("emoji")} ref=${root} onKeyDown=${onKeyDown}>
    <input type="search" placeholder=${say("emoji-find")} aria-label=${say("emoji-find")} value=${query.value} autocomplete="off"
      onInput=${(/** @type {any} */ event) => { query.value = event.target.value; }} />
    <div class="grid">${groups.map((group, index) => html`<div key=${index}>${group.map(({ emoji, words }) => html`<button type="button" key=${emoji}
      tabindex="-1" title=${words.join(" ")} aria-label="${emoji} ${words[0]}" onClick=${() => pick(emoji)}>${emoji}</button>`)}</div>`)}
      ${groups[0]?.length === 0 && html`<p class="quiet">${say("emoji-none")}</p>`}
    </div>
  </div>`;
}

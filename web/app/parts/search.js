import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { chord } from "../keys.js";
import { hueOf } from "../people.js";
import { Icon } from "./icon.js";
import { useStore } from "./use.js";

/** Looking for what was said; a hit is shown with what was said around it. */
export function Search() {
  const store = useStore();
  const say = store.say.value;
  const room = store.current.value;
  const input = useRef(/** @type {any} */ (null));
  const isHere = useSignal(true);
  const asked = useSignal("");
  /** @type {import("@preact/signals").Signal<any[]>} */
  const hits = useSignal([]);
  const next = useSignal(/** @type {number | undefined} */ (undefined));
  const isBusy = useSignal(false);
  const problem = useSignal("");
  useEffect(() => input.current.focus(), []);

  /** @param {boolean} goesOn */
  const ask = async (goesOn) => {
    const q = goesOn ? asked.value : input.current.value.trim();
    if (!q || isBusy.value) return;
    isBusy.value = true;
    problem.value = "";
    if (!goesOn) hits.value = [];
    try {
      const found = await store.chat.search(q, { room: isHere.value ? room?.name : undefined, before: goesOn ? next.value : undefined, limit: 20 });
      hits.value = [...hits.value, ...found.hits];
      next.value = found.next;
      asked.value = q;
      for (const { from } of found.hits) store.knows(from);
    } catch (error) {
      problem.value = store.why(error);
    } finally {
      isBusy.value = false;
    }
  };
  /** @param {any} hit */
  const go = (hit) => {
    const there = store.open(hit.room);
    void there.around(hit.seq);
    if (matchMedia("(max-width: 1099px)").matches) store.panel.value = "";
  };
  const close = () => {
    store.panel.value = "";
    document.getElementById("text")?.focus();
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const keys = chord(event);
    if (keys === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Enter" && !keys) {
      event.preventDefault(); // an input method's, not the form's
    }
  };
  const when = new Intl.DateTimeFormat(store.settings.locale.value, { dateStyle: "medium", timeStyle: "short" });
  const result = problem.value || (isBusy.value ? say("search-busy") : asked.value && !hits.value.length ? say("search-none", { q: asked.value })
    : asked.value ? say("found", { n: hits.value.length }) + (next.value ? " …" : "") : say("search-about"));
  return html`<aside class="people search" aria-label=${say("search")} onKeyDown=${onKeyDown}>
    <header><h2 class="serif">${say("search")}</h2><button class="plain" onClick=${close} aria-label=${say("close")}><${Icon} name="close" /></button></header>
    <form role="search" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); void ask(false); }}>
      <input type="search" ref=${input} aria-label=${say("search-for")} placeholder=${say("search-for")} enterkeyhint="search" maxlength="200" />
      <div class="choice" role="group">
        <button type="button" aria-pressed=${isHere.value} onClick=${() => { isHere.value = true; void ask(false); }}>${say("search-here")}</button>
        <button type="button" aria-pressed=${!isHere.value} onClick=${() => { isHere.value = false; void ask(false); }}>${say("search-all")}</button>
      </div>
    </form>
    <p class="quiet small" role="status">${result}</p>
    <ul class="hits">${hits.value.map((hit) => html`<li key=${`${hit.room} ${hit.seq}`}><button onClick=${() => go(hit)}>
      <span class="by"><bdi class="nick" data-hue=${hueOf(hit.from.id)}>${store.nickOf(hit.from)}</bdi> <time>${when.format(hit.ts)}</time></span>
      ${!isHere.value && html`<span class="quiet small">${store.room(hit.room)?.title.value ?? hit.room}</span>`}
      <span class="snippet" dir="auto">${marked(String(hit.text ?? ""), asked.value)}</span></button></li>`)}</ul>
    ${next.value !== undefined && html`<button class="more" onClick=${() => ask(true)}>${say("search-more")}</button>`}
  </aside>`;
}

/** What was looked for is marked in it. @param {string} text @param {string} q */
function marked(text, q) {
  const words = q.split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const parts = text.split(new RegExp(`(${words.join("|")})`, "giu"));
  return parts.map((part, index) => (index % 2 ? html`<mark>${part}</mark>` : part));
}

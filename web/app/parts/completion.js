import { signal } from "@preact/signals";
import { candidates, trigger } from "../complete.js";
import { html } from "../html.js";
import { later, load } from "../lazy.js";
import { Seal } from "./seal.js";
import { insert } from "./box.js";

/** What could be meant by the word before the caret. */
export class Completion {
  /** @type {import("@preact/signals").Signal<readonly import("../complete.js").Candidate[]>} */
  list = signal([]);
  index = signal(0);
  /** @type {import("../complete.js").Trigger | null} */
  #asked = null;
  #end = 0;
  #before = ""; // the character before it

  /** @param {import("../store/store.js").Store} store @param {import("../store/room.js").RoomState} room */
  constructor(store, room) {
    this.store = store;
    this.room = room;
  }

  /** @param {HTMLTextAreaElement} box something was written */
  look(box) {
    this.#end = box.selectionEnd;
    this.#asked = box.selectionStart === this.#end ? trigger(box.value, this.#end) : null;
    if (!this.#asked) return this.close();
    this.#before = [...box.value.slice(0, this.#asked.from)].pop() ?? "";
    const { store, room } = this;
    const { value } = box;
    if (this.#asked.kind === ":" && !later.peek()) load().then(() => box.value === value && this.look(box), () => {});
    const me = store.me.peek()?.id;
    const recent = [...new Set(room.messages.peek().map(({ from }) => from.id).reverse())];
    this.list.value = candidates(this.#asked, {
      people: [...room.people.peek().values()].filter(({ id }) => id !== me),
      rooms: [...store.rooms.peek().values()].filter((one) => !one.isDM).map(({ name }) => name),
      recent,
      find: (query, most) => later.peek()?.find(query, most) ?? [],
      say: store.say.peek(),
    });
    this.index.value = 0;
  }

  /** @param {HTMLTextAreaElement} box the caret may have gone elsewhere */
  moved(box) {
    if (this.list.peek().length && box.selectionEnd !== this.#end) this.close();
  }

  close() {
    if (this.list.peek().length) this.list.value = [];
  }

  /** @param {string} keys @param {HTMLTextAreaElement} box @returns {boolean} whether it was ours */
  press(keys, box) {
    const { length } = this.list.peek();
    if (!length) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[keys];
    if (step) this.index.value = (this.index.peek() + step + length) % length;
    else if (keys === "Tab") this.take(this.index.peek());
    else if (keys === "Enter" && this.list.peek()[this.index.peek()].insert !== box.value) this.take(this.index.peek());
    else if (keys === "Escape") this.close();
    else return false;
    return true;
  }

  /** @param {number} index */
  take(index) {
    const candidate = this.list.peek()[index];
    if (!candidate || !this.#asked) return;
    const { from, kind } = this.#asked;
    this.close();
    // Right after a word, also a Chinese one, the server would not take it for a name.
    const gap = kind === "@" && /[\p{L}\p{N}]/u.test(this.#before) ? " " : "";
    insert(`${gap}${candidate.insert} `, from, this.#end);
    this.close();
  }
}

/** @param {{completion: Completion, store: import("../store/store.js").Store}} props */
export function Suggestions({ completion, store }) {
  const list = completion.list.value;
  const say = store.say.value;
  return html`<ul id="suggestions" class="suggestions" role="listbox" aria-label=${say("completions")} hidden=${!list.length}>
    ${list.map(({ insert, label, hint, id }, index) => html`<li key=${insert} id="suggestion-${index}" role="option" aria-selected=${index === completion.index.value} ref=${index === completion.index.value ? show : null}
      onPointerDown=${(/** @type {Event} */ event) => { event.preventDefault(); completion.take(index); }}>
      ${id && html`<${Seal} size="s" person=${{ id, nick: label }} />`}<bdi>${label}</bdi> <span class="quiet">${hint}</span></li>`)}
  </ul>`;
}

/** @param {HTMLElement | null} option what is chosen is seen, also in a long list on a low screen */
function show(option) {
  option?.scrollIntoView({ block: "nearest" });
}

import { chord } from "../keys.js";
import * as keep from "../store/keep.js";

const REMEMBER = 50;

/** @typedef {{send: () => void, put: (text: string) => void, stop: () => void, isTouch: boolean}} Means */

/** What keys do in the box one writes in. */
export class ComposerKeys {
  /** what was written before; shared by all rooms, newest last */
  #past = /** @type {string[]} */ (keep.get("past") ?? []);
  #at = -1; // how far one has gone back
  #kept = ""; // what was in the box before one went back

  /**
   * @param {import("../store/store.js").Store} store @param {import("../store/room.js").RoomState} room
   * @param {import("./completion.js").Completion} completion
   */
  constructor(store, room, completion) {
    this.store = store;
    this.room = room;
    this.completion = completion;
  }

  /** @param {string} text it has been said */
  remember(text) {
    this.#past = [...this.#past.filter((one) => one !== text), text].slice(-REMEMBER);
    this.#at = -1;
    keep.set("past", this.#past);
  }

  /** @param {KeyboardEvent} event @param {Means} means */
  press(event, means) {
    const keys = chord(event);
    if (!keys) return; // an input method's
    const box = /** @type {HTMLTextAreaElement} */ (event.target);
    const done = this.completion.press(keys, box) || this.#act(keys, box, means);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} keys @param {HTMLTextAreaElement} box @param {Means} means @returns {boolean} whether it was ours */
  #act(keys, box, { send, put, stop, isTouch }) {
    const { store } = this;
    const sends = store.settings.enter.peek() === "ctrl" || isTouch ? keys === "Mod+Enter" : keys === "Enter" || keys === "Mod+Enter";
    if (sends) return send(), true;
    if (keys === "Escape" && store.compose.peek()) return stop(), true;
    if (keys === "ArrowUp" && !box.value) return this.#editLast() || this.#recall(1, put);
    if (keys === "Mod+ArrowUp") return this.#recall(1, put, box.value);
    if (keys === "Mod+ArrowDown") return this.#recall(-1, put, box.value);
    if (keys === "PageUp" || keys === "PageDown") {
      const scroller = document.querySelector(".scroller");
      scroller?.scrollBy({ top: (keys === "PageUp" ? -0.85 : 0.85) * scroller.clientHeight });
      return true;
    }
    return false;
  }

  #editLast() {
    const me = this.store.me.peek()?.id;
    const last = [...this.room.messages.peek()].reverse().find((message) => message.from.id === me && !message.deleted);
    if (!last) return false;
    this.store.compose.value = { kind: "edit", seq: last.seq };
    return true;
  }

  /** @param {1 | -1} step back, or forth @param {(text: string) => void} put @param {string} [now] */
  #recall(step, put, now = "") {
    const next = this.#at + step;
    if (next >= this.#past.length || next < -1) return true;
    if (this.#at < 0) this.#kept = now;
    this.#at = next;
    put(next < 0 ? this.#kept : this.#past[this.#past.length - 1 - next]);
    return true;
  }
}

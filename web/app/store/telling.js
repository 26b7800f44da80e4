import { signal } from "@preact/signals";

/** @typedef {{id: number, text: string, act?: {name: string, run: () => void}}} Toast */

// The codes for which we have words of our own, in the language that the page has now.
const KNOWN = [
  "offline", "lost", "forbidden", "muted", "rate_limited", "too_large", "nick_taken", "no_room", "outbox_full",
  "unauthorized", "token_expired", "conflict", "kicked", "banned",
];
const SHORT_MS = 5000;
const LONG_MS = 8000; // there is something to be decided

/** What a person is told about what they did. */
export class Telling {
  /** @type {import("@preact/signals").Signal<readonly Toast[]>} */
  toasts = signal([]);
  #last = 0;

  /** @param {import("./settings.js").Settings} settings */
  constructor(settings) {
    this.settings = settings;
    this.lang = settings.lang;
    this.say = settings.say;
  }

  /** Why something was refused, in the reader's language. @param {any} error @returns {string} */
  why(error) {
    const { code = "", message = "" } = error ?? {};
    return KNOWN.includes(code) ? this.say.peek()(/** @type {any} */ (`error-${code}`)) : message || String(code);
  }

  /** @param {any} error */
  complain(error) {
    this.toast(this.why(error));
  }

  /** Do something that may be refused; then the person is told why. @param {() => Promise<unknown>} act */
  async doing(act) {
    try {
      await act();
    } catch (error) {
      this.complain(error);
    }
  }

  /** @param {string} text to the clipboard, which only secure pages have */
  copy(text) {
    const copying = navigator.clipboard?.writeText(text) ?? Promise.reject();
    copying.then(() => this.toast(this.say.peek()("copied")), () => {});
  }

  /** A few words that go by themselves. @param {string} text @param {any} [name] of what may be done about it @param {() => void} [run] */
  toast(text, name, run) {
    const toast = { id: ++this.#last, text, act: name && run ? { name: this.say.peek()(name), run } : undefined };
    this.toasts.value = [...this.toasts.peek().slice(-2), toast];
    setTimeout(() => this.untoast(toast.id), run ? LONG_MS : SHORT_MS);
  }

  /** @param {number} id */
  untoast(id) {
    this.toasts.value = this.toasts.peek().filter((one) => one.id !== id);
  }
}

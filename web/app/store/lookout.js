import { signal } from "@preact/signals";
import { soon } from "./frames.js";
import { isMessage } from "./whole.js";
import { PAGE, Window } from "./window.js";

/** @typedef {import("../../client/client.d.ts").Message} Message */
/** @typedef {import("./outgoing.js").Letter} Letter */

/** The part of a room one looks at, and how one looks further. */
export class Lookout {
  window = new Window();
  /** @type {import("@preact/signals").Signal<readonly Message[]>} */
  messages = signal([]);
  /** @type {import("@preact/signals").Signal<readonly Letter[]>} what is on its way */
  pending = signal([]);
  isLive = signal(true);
  hasOlder = signal(true);
  /** @type {import("@preact/signals").Signal<"" | "older" | "newer" | "around">} */
  loading = signal("");
  /** we have been in it since the page was opened */
  isJoined = signal(false);
  /** @type {import("@preact/signals").Signal<{seq: number} | null>} where the reader is to be taken */
  target = signal(null);
  #flush = () => this.#show();

  /** @param {import("./store.js").Store} store @param {string} name */
  constructor(store, name) {
    this.store = store;
    this.name = name;
    this.handle = store.chat.room(name);
  }

  get isDM() {
    return this.name.startsWith("dm:");
  }

  /** Show what has changed, with the next picture. */
  changed() {
    soon(this.#flush);
  }

  #show() {
    const { window } = this;
    this.messages.value = window.messages;
    this.isLive.value = window.isLive;
    this.hasOlder.value = window.hasOlder;
    this.pending.value = this.store.outgoing.of(this.name);
  }

  /** Show the end of the room. */
  newest() {
    const { messages } = this.handle;
    this.window.start(messages.slice(-2 * PAGE), { hasOlder: !!this.handle.position?.seq && messages[0]?.seq !== 1 });
    this.changed();
  }

  /** Show nothing of what was said up to now; it is only further up. */
  clear() {
    this.window.start([], { hasOlder: true });
    this.changed();
  }

  /** Show what was seen here last, until there is a connection. @param {readonly Message[]} messages */
  remember(messages) {
    if (this.isJoined.peek() || this.window.size) return;
    this.window.start(messages, { hasOlder: false });
    for (const { from } of this.window.messages) this.store.knows(from);
    this.changed();
  }

  older() {
    const { window } = this;
    if (!window.hasOlder || !window.size || !this.isJoined.peek() || !this.handle.joined) return;
    const cached = this.handle.messages.filter((message) => message.seq < window.first).slice(-PAGE);
    if (cached.length) this.#put(() => window.prepend(cached, true));
    else void this.#load("older", { before: window.first }, (messages, more) => window.prepend(messages, more));
  }

  newer() {
    const { window } = this;
    if (window.isLive || !this.isJoined.peek()) return;
    const { messages } = this.handle;
    const from = messages.findIndex((message) => message.seq > window.last);
    const isKnown = (messages[0]?.seq ?? Infinity) <= window.last;
    if (isKnown || !messages.length) this.#put(() => window.append(from < 0 ? [] : messages.slice(from, from + PAGE), from >= 0 && messages.length > from + PAGE));
    else void this.#load("newer", { after: window.last }, (found, more) => window.append(found, more));
  }

  /** Show a message with what was said around it. @param {number} seq */
  async around(seq) {
    if (!this.window.view.messages.has(seq)) {
      await this.#load("around", { around: seq, limit: 2 * PAGE }, (messages) => {
        const isLive = (messages.at(-1)?.seq ?? 0) >= (this.handle.messages.at(-1)?.seq ?? 0);
        this.window.start(messages, { isLive });
      });
    }
    this.target.value = { seq };
    this.changed();
  }

  /** @param {"older" | "newer" | "around"} what @param {any} page @param {(messages: Message[], more: boolean) => void} use */
  async #load(what, page, use) {
    if (this.loading.peek()) return;
    this.loading.value = what;
    const { first, last } = this.window;
    try {
      const { messages, more } = await this.handle.history({ limit: PAGE, ...page });
      for (const { from } of messages.filter(isMessage)) this.store.knows(from);
      // Something else may have moved the window while we asked.
      if (what === "around" || (first === this.window.first && last <= this.window.last)) this.#put(() => use(messages, more));
    } catch (error) {
      if (what === "around") this.store.complain(error);
    } finally {
      this.loading.value = "";
    }
  }

  /** @param {() => void} change */
  #put(change) {
    change();
    this.changed();
  }
}

import { stream } from "./emitter.js";

/** @typedef {import("./errors.js").Frame} Frame */

/** One room; a handle that keeps nothing itself, so that any number of them may stand for the same room. */
export class Room {
  #core;
  #name;

  /** @param {import("./core.js").Core} core @param {string} name */
  constructor(core, name) {
    this.#core = core;
    this.#name = name;
  }

  get name() {
    return this.#core.rooms.canonical(this.#name);
  }

  get #place() {
    return this.#core.rooms.find(this.#name);
  }

  get joined() {
    return !!this.#place?.inside;
  }

  get info() {
    return this.#place?.info;
  }

  get position() {
    return this.#place?.position;
  }

  get messages() {
    return [...(this.#place?.view.messages.values() ?? [])];
  }

  /** @param {string} type @param {import("./emitter.js").Handler} handler */
  on(type, handler) {
    return this.#core.on(type, (event) => { if (event.room === this.name) handler(event); });
  }

  [Symbol.asyncIterator]() {
    return stream((type, handler) => this.#core.on(type, (event) => {
      if (event.room === this.name || isEnd(event)) handler(event);
    }), (event) => isEnd(event) || event.type === "lost");
  }

  /** @param {{last?: number}} [wish] */
  join({ last = 50 } = {}) {
    const joining = this.#core.rooms.join(this.#name, last);
    joining.catch(() => {}); // told as `lost` too: nobody has to wait for it
    return joining;
  }

  part() {
    return this.#core.rooms.part(this.#name);
  }

  /** @param {string} text @param {{cid?: string} & Frame} [more] */
  send(text, { cid = this.#core.newCid(), ...members } = {}) {
    const sending = this.#core.outbox.put(this.name, cid, { text, ...members });
    this.#core.post();
    return sending;
  }

  /** @param {number} ref @param {string} text @param {number} [rev] */
  edit(ref, text, rev = this.#place?.view.messages.get(ref)?.rev ?? 0) {
    return this.ask("edit", { ref, text, rev });
  }

  /** @param {number} ref @param {string} [reason] */
  delete(ref, reason) {
    return this.ask("delete", { ref, reason });
  }

  /** @param {number} ref @param {string} emoji @param {boolean} [on] */
  react(ref, emoji, on = true) {
    return this.ask("react", { ref, emoji, on });
  }

  /** @param {number} [seq] */
  read(seq = this.#place?.seq ?? 0) {
    return this.ask("read", { seq });
  }

  /** @param {Frame} [page] */
  history(page) {
    return this.ask("history", page);
  }

  /** @param {string} q @param {Frame} [page] */
  search(q, page) {
    return this.ask("search", { q, ...page });
  }

  /** @param {{after?: string, limit?: number}} [page] */
  members(page) {
    return this.ask("members", page);
  }

  typing(on = true) {
    const { clock, identity, typed } = this.#core;
    const now = clock.now();
    const last = typed.get(this.name) ?? NaN; // negative: since then we have told that we stopped
    if (on ? now - Math.abs(last) < (identity.info.limits?.typing_ms ?? 3000) : !(last > 0)) return;
    typed.set(this.name, on ? now : -last);
    this.#core.send("typing", { room: this.name, on });
  }

  /** @param {string} action @param {Frame} [more] */
  mod(action, more) {
    return this.ask("mod", { action, ...more });
  }

  /** @param {string} type @param {Frame} [members] */
  ask(type, members) {
    return this.#core.ask(type, { room: this.name, ...members });
  }
}

/** @param {Frame} event */
export function isEnd(event) {
  return event.type === "state" && (event.state === "ended" || event.state === "idle");
}

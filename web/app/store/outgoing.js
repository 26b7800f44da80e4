import * as keep from "./keep.js";

const SLOW_MS = 800; // faster than this nobody needs to be told
const GIVE_UP_MS = 10_000;
const START = "letter.";

/**
 * @typedef {object} Letter a message on its way
 * @property {string} cid
 * @property {string} room
 * @property {string} user who wrote it
 * @property {string} text
 * @property {number} at
 * @property {number} [reply]
 * @property {boolean} [action]
 * @property {"new" | "slow" | "failed"} state
 * @property {string} [problem] why it was refused
 * @property {number} [seq] it is in the log under that number
 * @property {boolean} [isDropped] its author does not want it any more, but it may have arrived
 */

/** @returns {string} a word nobody else makes; `crypto.randomUUID` is not there on plain HTTP */
function newCid() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-");
}

/** What was written and is not in the log yet, as far as we know. Kept over a reload. */
export class Outgoing {
  /** @type {Map<string, Letter>} */
  letters = new Map();
  /** @type {Map<string, number>} when something last went through, by room */
  #progress = new Map();
  #onlineAt = Infinity;
  #last = 0;
  /** @type {any} */
  #timer = null;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
  }

  /** @param {string} name of the room @returns {Letter[]} those to be shown there */
  of(name) {
    const seen = this.store.chat.room(name).position?.seq ?? 0;
    for (const letter of this.letters.values()) {
      if (letter.seq && letter.room === name && letter.seq <= seen) this.#forget(letter);
    }
    return [...this.letters.values()].filter((letter) => letter.room === name && !letter.isDropped).map((letter) => ({ ...letter }));
  }

  /** @param {import("./room.js").RoomState} room @param {string} text @param {{reply?: number, action?: boolean}} [more] */
  send(room, text, more = {}) {
    const user = this.store.me.value?.id ?? "";
    /** @type {Letter} */
    const letter = { cid: newCid(), room: room.name, user, text, at: this.#now(), state: "new", ...more };
    this.#keep(letter);
    this.#post(letter);
  }

  /** Now; no two letters have the same, so that their order outlives the page. */
  #now() {
    this.#last = Math.max(Date.now(), this.#last + 1);
    return this.#last;
  }

  /** Those that an earlier page left behind; another page may send them too, they are stored once. */
  adopt() {
    const kept = keep.all(START).sort(([, a], [, b]) => (a?.at ?? 0) - (b?.at ?? 0)); // in the order in which they were said
    for (const [name, letter] of kept) {
      if (!letter?.cid || !letter.room || typeof letter.text !== "string") {
        keep.set(name, undefined);
      } else if (!this.letters.has(letter.cid)) {
        this.letters.set(letter.cid, letter);
        // Under another person's name it would be another message.
        if (letter.user && letter.user !== this.store.me.value?.id) letter.state = "failed";
        if (letter.state !== "failed") this.#post(letter);
      }
    }
    this.#watch();
  }

  /** @param {string} cid its author wants it to be tried again, under the same cid */
  retry(cid) {
    const letter = this.letters.get(cid);
    if (!letter) return;
    const isWaiting = this.store.chat.unsent.some((one) => one.cid === cid);
    Object.assign(letter, { state: "new", at: Date.now(), problem: undefined, user: this.store.me.value?.id ?? "" });
    this.#keep(letter);
    if (!isWaiting) return this.#post(letter);
    // It was sent and never answered: over a new connection the library says it again, with all that waits behind it.
    this.store.chat.disconnect();
    void this.store.chat.connect().catch(() => {});
  }

  /** @param {string} cid its author does not want it any more */
  discard(cid) {
    const letter = this.letters.get(cid);
    if (!letter) return;
    const { chat } = this.store;
    if (!chat.withdraw(cid) && chat.unsent.some((one) => one.cid === cid)) {
      letter.isDropped = true; // and deleted should it turn out to be there
      this.#keep(letter);
    } else {
      this.#forget(letter);
    }
    this.store.room(letter.room)?.changed();
  }

  /** It came back to us as everybody sees it. @param {string} cid @param {number} seq */
  arrived(cid, seq) {
    const letter = this.letters.get(cid);
    if (!letter) return;
    this.#progress.set(letter.room, Date.now());
    this.#forget(letter);
    if (letter.isDropped) void this.store.room(letter.room)?.handle.delete(seq).catch(() => {});
  }

  /** @param {boolean} isOnline */
  online(isOnline) {
    this.#onlineAt = isOnline ? Date.now() : Infinity;
    this.#watch();
  }

  /** @param {Letter} letter */
  async #post(letter) {
    const { cid, room, text, reply, action } = letter;
    this.#watch();
    try {
      const { seq } = await this.store.chat.room(room).send(text, { cid, reply, action });
      this.#progress.set(room, Date.now());
      letter.seq = seq;
      if (letter.isDropped) this.arrived(cid, seq);
    } catch (error) {
      const { code, message } = /** @type {any} */ (error);
      if (!this.letters.has(cid)) return; // it has come back already
      Object.assign(letter, { state: "failed", problem: this.store.why({ code, message }) });
      if (code === "cid_conflict") this.letters.delete(cid), keep.set(START + cid, undefined), letter.cid = newCid();
      this.#keep(letter);
    }
    this.store.room(room)?.changed();
  }

  /** @param {Letter} letter */
  #keep(letter) {
    this.letters.set(letter.cid, letter);
    keep.set(START + letter.cid, letter);
    this.store.room(letter.room)?.changed();
  }

  /** @param {Letter} letter */
  #forget(letter) {
    this.letters.delete(letter.cid);
    keep.set(START + letter.cid, undefined);
  }

  /** Look from time to time whether something takes too long. */
  #watch() {
    clearTimeout(this.#timer);
    const now = Date.now();
    let next = Infinity;
    for (const letter of this.letters.values()) {
      if (letter.state === "failed" || letter.seq) continue;
      const since = Math.max(letter.at, this.#onlineAt, this.#progress.get(letter.room) ?? 0);
      const state = now - since >= GIVE_UP_MS ? "failed" : now - letter.at >= SLOW_MS ? "slow" : "new";
      next = Math.min(next, state === "new" ? letter.at + SLOW_MS : state === "slow" ? since + GIVE_UP_MS : Infinity);
      if (state === letter.state) continue;
      letter.state = state;
      if (state === "failed") this.#keep(letter);
      this.store.room(letter.room)?.changed();
    }
    if (next < Infinity) this.#timer = setTimeout(() => this.#watch(), Math.max(next - now, 20));
  }
}

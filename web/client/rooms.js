import { RETRY_MS } from "./core.js";
import { ChatError } from "./errors.js";
import { Places } from "./places.js";

/** @typedef {import("./errors.js").Frame} Frame */
/** @typedef {import("./place.js").Place} Place */

const SPREAD_MS = 5000; // a room of a thousand then asks 200 times a second
const HELLO_ROOMS = 128; // more are joined afterwards

/** Joining the rooms one wants to be in, and seeing to it that nothing is missing in any. */
export class Rooms extends Places {
  /** @type {Set<string>} rooms that may still be heard of though we leave */
  #parting = new Set();
  /** @type {Map<string, Place>} */
  #atHello = new Map();

  /** @param {string} name @returns {string | false} where a message for it may go; false while we are on our way in */
  address(name) {
    const place = this.find(name);
    return (!place || place.inside) && this.canonical(name);
  }

  /** @param {string} name @param {number} last @returns {Promise<any>} */
  join(name, last) {
    const place = this.find(name) ?? this.add(this.canonical(name), last);
    return new Promise((resolve, reject) => {
      place.waiting.push({ resolve, reject });
      if (!place.asking) this.#join(place);
    });
  }

  /** @param {string} name @returns {Promise<any>} */
  async part(name) {
    const room = this.canonical(name);
    this.remove(this.find(name), new ChatError("parted"));
    if (!this.core.isOnline) return;
    this.#parting.add(room);
    await this.core.ask("part", { room }).finally(() => this.#parting.delete(room));
  }

  /** What hello says about rooms: where to resume. Where there is nothing to resume we join afterwards. */
  atHello() {
    this.#atHello = new Map(this.places);
    const known = [...this.places.values()].filter((place) => place.epoch).slice(0, HELLO_ROOMS);
    return Object.fromEntries(known.map((place) => [place.name, place.position]));
  }

  /** @param {Record<string, Frame>} results hello was answered, each room with it */
  cameIn(results) {
    for (const [name, result] of Object.entries(results)) {
      const place = this.#atHello.get(name);
      if (place && this.places.get(place.name) !== place) this.core.send("part", { room: result.room });
      else if (place && result.error) this.#refused(place, result.error);
      else if (place) this.#entered(place, result);
    }
    for (const place of this.places.values()) if (!place.inside && !place.asking) this.#join(place);
  }

  /** @param {Frame} frame whatever concerns a room */
  heard(frame) {
    const { type, room } = frame;
    const place = this.places.get(room);
    const isOrder = ["lag", "truncate", "epoch", "skip"].includes(type);
    if (!isOrder && !(frame.seq && frame.ts)) return this.core.tell(frame);
    if (!place) {
      // What we said there has made us a member.
      if (room.startsWith("dm:") && !this.#parting.has(room)) this.#join(this.add(room, 50));
      return;
    }
    const isNext = place.take(frame, this.me);
    if (type === "lag" && frame.epoch === place.epoch && place.lacks && !place.asking) return this.#fetch(place);
    const { action, user } = frame;
    if (isNext && type === "mod" && (!user || user.id === this.me)) {
      const code = /** @type {Frame} */ ({ kick: "kicked", ban: "banned" })[action];
      if (code) this.remove(place, new ChatError(code), true);
      // Who may be here has changed: ask whether we still may; when all ask, not all at one moment.
      else if (!place.asking && /private|role/.test(action)) this.#joinLater(place, user ? 0 : this.core.clock.random() * SPREAD_MS);
    }
    this.#see(place);
  }

  /** @param {Record<string, number>} tops a ping names each room's newest number: join again, once, where we lack it */
  lookAt(tops) {
    for (const [name, top] of Object.entries(tops)) {
      const place = this.places.get(name);
      if (place?.epoch && top > Math.max(place.seq, place.askedTop) && !place.asking) {
        place.askedTop = top;
        this.#join(place);
      }
    }
  }

  /** The connection is gone; hello will ask again. */
  lost() {
    this.#parting.clear();
    for (const place of this.places.values()) place.asking = place.inside = false;
  }

  /** @param {Place} place ask again if it lacks something */
  #see(place) {
    if (place.lacks && !place.asking && this.isWanted(place)) this.#join(place);
  }

  /** @param {Place} place */
  #join(place) {
    if (!this.core.isOnline) return;
    const since = place.position;
    this.#ask(place, "join", { since, last: since ? undefined : place.last }, (result) => this.#entered(place, result));
  }

  /** @param {Place} place */
  #fetch(place) {
    this.#ask(place, "events", { after: place.seq, limit: 500 }, (reply) => {
      const before = place.seq;
      place.asking = false;
      if (reply.epoch === place.epoch) {
        for (const event of reply.events) place.heard(event, this.me);
        place.known = Math.max(place.known, reply.seq);
      }
      if (place.lacks && place.seq > before) this.#fetch(place);
      else this.#see(place);
    });
  }

  /** @param {Place} place @param {string} type @param {Frame} members @param {(reply: Frame) => void} done */
  #ask(place, type, members, done) {
    place.asking = true;
    this.core.command(
      type,
      { room: place.name, ...members },
      (reply) => this.isWanted(place) && done(reply),
      (error) => this.isWanted(place) && this.#refused(place, error),
    );
  }

  /** @param {Place} place @param {Frame} result */
  #entered(place, result) {
    if (result.room !== place.name) {
      this.names.set(place.name, result.room);
      this.places.delete(place.name);
      const there = this.places.get(result.room);
      if (there) there.waiting.push(...place.waiting);
      place.name = result.room;
      place = there ?? place;
      this.places.set(place.name, place);
    }
    place.entered(result, this.me);
    if (!place.epoch) return this.#join(place);
    for (const it of place.waiting.splice(0)) it.resolve(result);
    this.core.post();
  }

  /** @param {Place} place @param {Frame} error a moment's: as `lost` it comes to nothing, hello will ask again */
  #refused(place, error) {
    if (!error.temporary) return this.remove(place, new ChatError(error.code, error.message), true);
    this.#joinLater(place, error.retry_ms ?? RETRY_MS);
  }

  /** @param {Place} place @param {number} ms */
  #joinLater(place, ms) {
    place.asking = true; // so that nothing else asks meanwhile
    this.core.later(ms, () => this.isWanted(place) && this.#join(place));
  }
}

import { Place } from "./place.js";

/** @typedef {import("./errors.js").ChatError} ChatError */

const OWN = "@me"; // one's own stream, joined by itself

/** The rooms one wants to be in, by name. */
export class Places {
  /** @type {Map<string, string>} what the server calls a room that we called otherwise */
  names = new Map();
  /** @type {Map<string, Place>} */
  places = new Map();

  /** @param {import("./core.js").Core} core */
  constructor(core) {
    this.core = core;
    this.add(OWN, 0);
  }

  get me() {
    return this.core.identity?.user?.id;
  }

  /** @param {string} name @returns {string} a direct conversation has the same name for both; `@u_2` is one's own */
  canonical(name) {
    if (name.startsWith("@u_") && this.me) return `dm:${[this.me, name.slice(1)].sort().join(":")}`;
    return this.names.get(name) ?? name;
  }

  /** @param {string} name */
  find(name) {
    return this.places.get(this.canonical(name)) ?? this.places.get(name);
  }

  /** Start over everywhere; as somebody else, the names of direct conversations are others too. */
  forget() {
    for (const place of this.places.values()) place.forget();
  }

  /** @param {ChatError} error those who wait to get in will not */
  fail(error) {
    for (const place of this.places.values()) for (const it of place.waiting.splice(0)) it.reject(error);
  }

  /** @param {string} name @param {number} last */
  add(name, last) {
    const place = new Place(name, last, (event) => this.core.tell(event));
    this.places.set(name, place);
    return place;
  }

  /** @param {Place | undefined} place @param {ChatError} error @param {boolean} [tell] */
  remove(place, error, tell = false) {
    if (!place || place.name === OWN) return;
    this.places.delete(place.name);
    for (const it of place.waiting.splice(0)) it.reject(error);
    if (tell) this.core.tell({ type: "lost", room: place.name, code: error.code, message: error.message });
  }

  /** @param {Place} place */
  isWanted(place) {
    return this.places.get(place.name) === place;
  }
}

import { View } from "../../client/view.js";
import { isMessage } from "./whole.js";

/** @typedef {import("../../client/client.d.ts").Message} Message */

export const MOST = 300; // measured: more rows cost frames, fewer cost paging
export const PAGE = 50;

/** The part of a room that is on the page: at most 300 messages in a row, not always the newest. */
export class Window {
  view = new View();
  /** its end is the newest message */
  isLive = true;
  /** there may be something before its beginning */
  hasOlder = true;

  /** @returns {Message[]} */
  get messages() {
    return [...this.view.messages.values()];
  }

  get size() {
    return this.view.messages.size;
  }

  get first() {
    return this.view.messages.keys().next().value ?? 0;
  }

  get last() {
    return this.messages.at(-1)?.seq ?? 0;
  }

  /** Start over. @param {readonly Message[]} messages @param {{isLive?: boolean, hasOlder?: boolean}} [more] */
  start(messages, { isLive = true, hasOlder = true } = {}) {
    this.view.replace(/** @type {any} */ (messages.filter(isMessage).slice(-MOST)));
    this.isLive = isLive;
    this.hasOlder = hasOlder || messages.length > MOST;
  }

  /**
   * An entry of the room's log.
   * @param {any} event
   * @param {string | undefined} me
   * @param {boolean} mayDrop the oldest ones may go for it; nobody is reading there
   */
  apply(event, me, mayDrop) {
    if (event.type === "message") {
      if (this.size >= MOST && !mayDrop) this.isLive = false;
      if (!this.isLive) return;
    }
    this.view.apply(event, me);
    this.#trimHead();
  }

  /** @param {readonly Message[]} messages older ones @param {boolean} more whether there are still older ones */
  prepend(messages, more) {
    const all = [...messages, ...this.messages];
    this.hasOlder = more;
    if (all.length > MOST) this.isLive = false;
    this.#fill(all.slice(0, MOST));
  }

  /** @param {readonly Message[]} messages newer ones @param {boolean} more whether there are still newer ones */
  append(messages, more) {
    this.#fill([...this.messages, ...messages]);
    this.isLive = !more;
    this.#trimHead();
  }

  /** What came after it did not survive. @param {number} after */
  truncate(after) {
    return this.view.truncate(after);
  }

  /** @param {readonly Message[]} messages */
  #fill(messages) {
    const { changed } = this.view;
    this.view.replace(/** @type {any} */ (messages.filter(isMessage)));
    this.view.changed = changed;
  }

  #trimHead() {
    const { messages } = this.view;
    for (const seq of messages.keys()) {
      if (messages.size <= MOST) break;
      messages.delete(seq);
      this.hasOlder = true;
    }
  }
}

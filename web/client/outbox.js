import { ChatError } from "./errors.js";

/**
 * @typedef {object} Letter one message on its way
 * @property {string} room
 * @property {string} cid
 * @property {import("./errors.js").Frame} members what the frame holds besides
 * @property {boolean} underWay sent on this connection, not answered yet
 * @property {boolean} wasSent on this connection or an earlier one
 * @property {number} due not before this time
 * @property {(receipt: any) => void} resolve
 * @property {(error: ChatError) => void} reject
 */

const TOO_LONG = 20_000; // characters: with three bytes each they still fit into the server's longest frame
const CID = 64;
const LIMIT = 200; // nobody types more while a train is in a tunnel; a program that does must hear of it

/** What is to be said: kept until the server has it for good, or refuses it for good. */
export class Outbox {
  /** @type {Map<string, Letter>} in the order in which they were said */
  letters = new Map();

  /**
   * @param {string} room @param {string} cid @param {import("./errors.js").Frame} members
   * @returns {Promise<any>}
   */
  put(room, cid, members) {
    return new Promise((resolve, reject) => {
      const { letters } = this;
      const isFull = letters.size >= LIMIT;
      const isTooLong = JSON.stringify(members).length > TOO_LONG || cid.length > CID;
      const code = isFull ? "outbox_full" : letters.has(cid) ? "cid_conflict" : isTooLong ? "too_large" : "";
      if (code) {
        reject(new ChatError(code, code, isFull));
      } else {
        const letter = { room, cid, members, underWay: false, wasSent: false, due: 0, reject };
        letters.set(cid, { ...letter, resolve: (reply) => resolve({ ...reply, cid }) });
      }
    });
  }

  /**
   * What may be sent now, at most one of each room: were two under way, and the first refused for a moment, the
   * second could overtake it.
   * @param {number} now
   * @param {(room: string) => string | false} address the room's own name, or false while we are on our way into it
   * @returns {Letter[]} they count as under way
   */
  take(now, address) {
    const seen = new Set();
    const ready = [];
    for (const letter of this.letters.values()) {
      const room = address(letter.room);
      if (!room || seen.has(room)) continue;
      seen.add(room);
      if (letter.underWay || letter.due > now) continue;
      letter.room = room;
      letter.underWay = letter.wasSent = true;
      ready.push(letter);
    }
    return ready;
  }

  /** The connection is gone: nobody knows which of those under way arrived, so all are sent again. */
  lost() {
    for (const letter of this.letters.values()) {
      letter.underWay = false;
      letter.due = 0;
    }
  }

  /**
   * Gives up all, or those for which `which` holds.
   * @param {ChatError} error
   * @param {(letter: Letter) => boolean} [which]
   * @returns {boolean} whether there was one
   */
  fail(error, which = () => true) {
    let isFound = false;
    for (const letter of this.letters.values()) {
      if (which(letter)) {
        isFound = this.letters.delete(letter.cid);
        letter.reject(error);
      }
    }
    return isFound;
  }
}

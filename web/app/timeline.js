// What stands between and above messages: days, the beginning of a group, the unread rule, who came and went.

/** @typedef {{seq: number, ts: number, from: {id: string, nick: string}, action?: boolean}} Message */
/** @typedef {{type: "enter" | "leave", ts: number, user: {id: string, nick: string}, after: number}} Movement `after` is the last seq before it */
/**
 * @typedef {{kind: "day", key: string, ts: number}
 *   | {kind: "unread", key: string}
 *   | {kind: "moves", key: string, came: string[], left: string[]}
 *   | {kind: "message", key: string, message: any, isFirst: boolean}} Row
 */

export const GROUP_MS = 5 * 60_000; // as others do: longer, and the time above no longer tells when

/** The calendar day in the reader's time zone, also where a day has 23 hours. @param {number} ts */
export function dayOf(ts) {
  const date = new Date(ts);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/**
 * The rows of a room, oldest first.
 * @param {readonly Message[]} messages
 * @param {{read?: number, moves?: readonly Movement[]}} [more] `read` is the last seq that had been read when the visit
 *   began, or undefined for no unread rule
 * @returns {Row[]}
 */
export function rows(messages, { read, moves = [] } = {}) {
  /** @type {Row[]} */
  const found = [];
  /** @type {Message | null} the message that a next one may continue */
  let group = null;
  let day = "";
  let isMarked = read === undefined;
  const waiting = [...moves];
  for (const message of messages) {
    if (dayOf(message.ts) !== day) {
      day = dayOf(message.ts);
      found.push({ kind: "day", key: `day ${day}`, ts: message.ts });
      group = null;
    }
    const before = condensed(waiting, message.seq);
    if (before) {
      found.push(before);
      group = null;
    }
    if (!isMarked && message.seq > (read ?? 0)) {
      isMarked = true;
      found.push({ kind: "unread", key: "unread" });
      group = null;
    }
    const continues = group && group.from.id === message.from.id && !message.action && !group.action
      && message.ts - group.ts < GROUP_MS;
    found.push({ kind: "message", key: `message ${message.seq}`, message, isFirst: !continues });
    group = message;
  }
  const last = condensed(waiting, Infinity);
  if (last) found.push(last);
  return found;
}

/**
 * Those who came and went before the message `seq`, as one row; who did both is not worth a word.
 * @param {Movement[]} moves taken from its front
 * @param {number} seq
 * @returns {Row | null}
 */
function condensed(moves, seq) {
  const count = moves.findIndex((move) => move.after >= seq);
  const taken = moves.splice(0, count < 0 ? moves.length : count);
  /** @type {Map<string, {nick: string, change: number}>} */
  const people = new Map();
  for (const { type, user } of taken) {
    const change = (people.get(user.id)?.change ?? 0) + (type === "enter" ? 1 : -1);
    people.set(user.id, { nick: user.nick, change });
  }
  const names = (/** @type {number} */ sign) => [...people.values()].filter((one) => one.change * sign > 0).map((one) => one.nick);
  const [came, left] = [names(1), names(-1)];
  return came.length + left.length ? { kind: "moves", key: `moves ${taken[0].ts}`, came, left } : null;
}

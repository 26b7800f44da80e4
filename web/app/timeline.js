// What stands between and above messages: days, the beginning of a group, the unread rule, who came and went.

/** @typedef {{seq: number, ts: number, from: {id: string, nick: string}, action?: boolean}} Message */
/**
 * Something that happened and was not said; `after` is the last seq before it.
 * @typedef {{type: string, ts: number, user?: {id: string, nick: string}, after: number, [member: string]: any}} Note
 */
/**
 * @typedef {{kind: "day", key: string, ts: number}
 *   | {kind: "unread", key: string}
 *   | {kind: "note", key: string, note: Note}
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
 * @param {{read?: number, notes?: readonly Note[], isLive?: boolean}} [more] `read` is the last seq that had been read
 *   when the visit began, or undefined for no unread rule; `isLive`: the last message is the room's newest
 * @returns {Row[]}
 */
export function rows(messages, { read, notes = [], isLive = true } = {}) {
  /** @type {Row[]} */
  const found = [];
  /** @type {Message | null} the message that a next one may continue */
  let group = null;
  let day = "";
  let isMarked = read === undefined;
  const first = messages[0]?.seq ?? 0;
  const waiting = notes.filter(({ after }) => after >= first); // what happened before is above what is shown
  for (const message of messages) {
    const before = condensed(waiting, message.seq);
    if (dayOf(message.ts) !== day) {
      day = dayOf(message.ts);
      found.push({ kind: "day", key: `day ${day}`, ts: message.ts });
      group = null;
    }
    if (before.length) group = null;
    found.push(...before);
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
  if (isLive) found.push(...condensed(waiting, Infinity));
  return found;
}

/**
 * What happened before the message `seq`. Those who came and went are one row; who did both is not worth a word.
 * @param {Note[]} notes taken from its front
 * @param {number} seq
 * @returns {Row[]}
 */
function condensed(notes, seq) {
  const count = notes.findIndex((note) => note.after >= seq);
  const taken = notes.splice(0, count < 0 ? notes.length : count);
  /** @type {Map<string, {nick: string, change: number}>} */
  const people = new Map();
  /** @type {Row[]} */
  const others = [];
  for (const note of taken) {
    const { type, user } = note;
    if (user && (type === "enter" || type === "leave")) {
      const change = (people.get(user.id)?.change ?? 0) + (type === "enter" ? 1 : -1);
      people.set(user.id, { nick: user.nick, change });
    } else {
      others.push({ kind: "note", key: `note ${note.after} ${note.ts} ${others.length}`, note });
    }
  }
  const names = (/** @type {number} */ sign) => [...people.values()].filter((one) => one.change * sign > 0).map((one) => one.nick);
  const [came, left] = [names(1), names(-1)];
  if (came.length + left.length) others.push({ kind: "moves", key: `moves ${taken[0].after} ${taken[0].ts}`, came, left });
  return others;
}

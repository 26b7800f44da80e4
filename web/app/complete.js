// What could be meant by the word that is being written.
import { COMMANDS } from "./commands.js";

/** @typedef {{kind: "@" | ":" | "/" | "#", query: string, from: number}} Trigger `from` is where it begins */
/** @typedef {{insert: string, label: string, hint: string, id?: string}} Candidate */

const MOST = 8;
const COMMANDS_SHOWN = 12; // so many fit where nothing is written yet; those of moderators stand last

// Han needs no space before a name; in Latin a letter before the sign makes an address or a time of it.
const TRIGGER = /(?:^|[^\p{Script=Latin}\d@:/#])([@:#])([^\s@:#/]{0,32})$/u;

/**
 * The word before the caret, if it asks for completion.
 * @param {string} text @param {number} caret
 * @returns {Trigger | null}
 */
export function trigger(text, caret) {
  const before = text.slice(0, caret);
  const command = /^\/([a-z]*)$/i.exec(before);
  if (command) return { kind: "/", query: command[1].toLowerCase(), from: 0 };
  const found = TRIGGER.exec(before);
  if (!found) return null;
  const [, sign, query] = found;
  // An emoji's name needs two letters, or one that is a word of its own: `:)` is none.
  if (sign === ":" && !(query.length > 1 || /[^\x00-\x7f]/.test(query))) return null;
  return { kind: /** @type {Trigger["kind"]} */ (sign), query, from: caret - query.length - 1 };
}

/**
 * @param {Trigger} asked
 * @param {{people: readonly {id: string, nick: string}[], rooms: readonly string[], recent: readonly string[], find: (query: string, most: number) => {emoji: string, name: string}[], say: (name: any) => string}} known
 *   `recent` are the ids of those who spoke, last one first
 * @returns {Candidate[]} the likeliest first
 */
export function candidates({ kind, query }, { people, rooms, recent, find, say }) {
  if (kind === "/") {
    return Object.entries(COMMANDS).filter(([name]) => name.startsWith(query)).slice(0, COMMANDS_SHOWN)
      .map(([name, rest]) => ({ insert: `/${name}`, label: `/${name} ${rest}`.trim(), hint: say(`command-${name}`) }));
  }
  if (kind === ":") return find(query, MOST).map(({ emoji, name }) => ({ insert: emoji, label: emoji, hint: name }));
  if (kind === "#") return best(rooms, (room) => room, query).map((room) => ({ insert: `#${room}`, label: `#${room}`, hint: "" }));
  const order = new Map(recent.map((id, index) => [id, index]));
  const sorted = [...people].sort((a, b) => (order.get(a.id) ?? Infinity) - (order.get(b.id) ?? Infinity) || 0);
  return best(sorted, (person) => person.nick, query).map(({ id, nick }) => ({ insert: `@${nick}`, label: nick, hint: "", id }));
}

/**
 * Those whose name begins with it, then those that hold it; else in the order given.
 * @template Thing
 * @param {readonly Thing[]} things @param {(thing: Thing) => string} nameOf @param {string} query
 */
export function best(things, nameOf, query) {
  const wanted = query.toLocaleLowerCase();
  /** @param {Thing} thing */
  const place = (thing) => nameOf(thing).toLocaleLowerCase().indexOf(wanted);
  const found = things.filter((thing) => place(thing) >= 0);
  return [...found.filter((one) => place(one) === 0), ...found.filter((one) => place(one) > 0)].slice(0, MOST);
}

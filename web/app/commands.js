// What a line that begins with a slash asks for.

/** Every command with what follows it; the words about it are in the catalogues as `command-…`. */
export const COMMANDS = /** @type {const} */ ({
  me: "…", nick: "name", join: "room", leave: "", msg: "name …", topic: "…", who: "", away: "…", back: "", clear: "",
  help: "", mute: "name …", unmute: "name", kick: "name …", ban: "name …",
});

/** @typedef {keyof typeof COMMANDS} Command */

/**
 * Whom a line begins with, and what it says then. Names have spaces: the longest one counts.
 * @template {{nick: string}} T
 * @param {string} rest @param {Iterable<T>} people
 * @returns {{person: T | undefined, more: string}}
 */
export function whom(rest, people) {
  const line = rest.replace(/^@/, "").toLowerCase(), cut = rest.length - line.length;
  const called = [...people].filter(({ nick }) => `${line} `.startsWith(`${nick.toLowerCase()} `)).sort((a, b) => b.nick.length - a.nick.length);
  return { person: called[0], more: called[0] ? rest.slice(cut + called[0].nick.length).trim() : "" };
}

/**
 * @param {string} text
 * @returns {{say: string, action?: boolean} | {command: Command, rest: string} | {unknown: string}} an unknown one is
 *   never said: it was meant as a command
 */
export function parse(text) {
  if (text.startsWith("//")) return { say: text.slice(1) };
  const found = /^\/([\p{L}\d_-]*)(?:\s+([^]*))?$/u.exec(text);
  if (!text.startsWith("/")) return { say: text };
  const name = found?.[1].toLowerCase() ?? text.slice(1).split(/\s/)[0];
  const rest = found?.[2]?.trim() ?? "";
  if (name === "me" && rest) return { say: rest, action: true };
  if (Object.hasOwn(COMMANDS, name)) return { command: /** @type {Command} */ (name), rest };
  return { unknown: name };
}

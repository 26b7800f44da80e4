// Whether what is told has the shape that the page relies on. A service of another version may tell more, or otherwise:
// what is not whole is left out, and the rest of the page goes on.

/** @param {unknown} value @returns {value is string} */
const isText = (value) => typeof value === "string";
/** @param {any} value */
const isPerson = (value) => isText(value?.id) && isText(value.nick);
/** @param {unknown} value */
const isNumber = (value) => Number.isFinite(value);
/** @param {(value: any) => boolean} is @param {any} value */
const perhaps = (is, value) => value === undefined || is(value);
/** @param {(value: any) => boolean} is @param {any} value */
const each = (is, value) => Array.isArray(value) && value.every(is);

/** @param {any} message as the log has it, or an archive */
export function isMessage(message) {
  const { seq, ts, from, text, deleted, mentions, reply, reactions } = message ?? {};
  return isNumber(seq) && isNumber(ts) && !isNaN(new Date(ts).getTime()) && isPerson(from) && (!!deleted || isText(text))
    && perhaps((all) => each(isText, all), mentions) && perhaps(isNumber, reply)
    && perhaps((all) => all && Object.values(all).every((one) => isNumber(one?.n)), reactions);
}

/** @param {any} event */
const hasPerson = ({ user }) => isPerson(user);

/** @type {Record<string, (event: any) => unknown>} */
const SHAPES = {
  __proto__: /** @type {any} */ (null),
  message: isMessage,
  edit: ({ text, deleted }) => deleted || isText(text),
  react: ({ emoji, n }) => isText(emoji) && isNumber(n),
  enter: (event) => isPerson(event.user) && isNumber(event.n),
  leave: (event) => isPerson(event.user) && isNumber(event.n),
  nick: ({ user, was }) => isPerson(user) && isText(was),
  typing: hasPerson,
  presence: ({ user, status, text }) => isText(user?.id) && perhaps(isText, user.nick) && perhaps(isText, status) && perhaps(isText, text),
  mod: ({ action, user, by, value }) => isText(action) && perhaps(isPerson, user) && isText(by) && !(value instanceof Object),
  count: ({ n }) => isNumber(n),
  read: ({ seq, unread, mentions }) => [seq, unread, mentions].every(isNumber),
  dm: (event) => isText(event.dm) && perhaps(isPerson, event.with),
  joined: ({ n, seq, members, topic }) => isNumber(n) && isNumber(seq) && perhaps((all) => each(isPerson, all), members) && perhaps(isText, topic),
  state: ({ state, user }) => state !== "online" || isPerson(user),
};

/** @param {any} event what the library tells @returns {boolean} true for types that nobody here knows: nothing is done about them */
export function isWhole(event) {
  return !!(SHAPES[event.type]?.(event) ?? true);
}

// What outlives the page, beside who one is (which the library keeps): small things, one name each.

const base = globalThis.document ? new URL(".", document.baseURI).pathname.replace(/\/$/, "") : "";

/** Two chats under two paths of one host keep apart what is theirs. */
export const PREFIX = `chat${base}`;

/** @type {Map<string, string>} where storage is forbidden, nothing is lost but the comfort */
const rest = new Map();

/** @param {string} name @returns {any} what was kept, undefined if nothing that can be read */
export function get(name) {
  const key = `${PREFIX}.${name}`;
  let text = rest.get(key);
  try {
    text ??= localStorage.getItem(key) ?? undefined;
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {string} name @param {unknown} value undefined to forget it */
export function set(name, value) {
  const key = `${PREFIX}.${name}`;
  const text = JSON.stringify(value);
  try {
    if (text === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
    rest.delete(key);
  } catch {
    if (text === undefined) rest.delete(key);
    else rest.set(key, text);
  }
}

/** Everything kept under names that begin so. @param {string} start @returns {[string, any][]} */
export function all(start) {
  const names = new Set();
  for (const key of rest.keys()) names.add(key);
  try {
    for (let index = 0; index < localStorage.length; index++) names.add(localStorage.key(index));
  } catch {} // forbidden: see `rest`
  const wanted = `${PREFIX}.${start}`;
  return [...names].filter((key) => key.startsWith(wanted)).sort()
    .map((key) => [key.slice(PREFIX.length + 1), get(key.slice(PREFIX.length + 1))]);
}

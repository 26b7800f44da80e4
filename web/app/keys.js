// Keys as people press them: while an input method is open, none of them is ours.

/**
 * Whether a key belongs to an input method. Safari ends the composition before it tells of the key that ended it
 * (WebKit bug 165004): there only the key code 229 is left to know it by.
 * @param {{isComposing?: boolean, keyCode?: number}} event
 */
export function isComposing(event) {
  return !!event.isComposing || event.keyCode === 229;
}

const isApple = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/**
 * What was pressed, as one word: `Mod+Shift+f`, `Alt+ArrowUp`, `Enter`; empty while an input method is open.
 * @param {KeyboardEvent} event
 */
export function chord(event) {
  if (isComposing(event)) return "";
  const { altKey, shiftKey, key } = event;
  const isMod = isApple ? event.metaKey : event.ctrlKey;
  const other = isApple ? event.ctrlKey : event.metaKey;
  const name = key.length === 1 ? key.toLowerCase() : key;
  return `${other ? "Other+" : ""}${isMod ? "Mod+" : ""}${altKey ? "Alt+" : ""}${shiftKey ? "Shift+" : ""}${name}`;
}

/** How a chord is written on this person's keyboard. @param {string} keys */
export function written(keys) {
  const names = isApple
    ? { Mod: "⌘", Alt: "⌥", Shift: "⇧" }
    : { Mod: "Ctrl", Alt: "Alt", Shift: "Shift" };
  const arrows = { ArrowUp: "↑", ArrowDown: "↓", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc" };
  const known = /** @type {Record<string, string>} */ ({ ...names, ...arrows });
  return keys.split("+").map((key) => known[key] ?? (key.length === 1 ? key.toUpperCase() : key)).join(isApple ? "" : " ");
}

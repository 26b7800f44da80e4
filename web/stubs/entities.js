// In the place of the package `entities`, whose tables of two thousand names are a sixth of the page: in what people
// type, only these and numbers are ever meant.

/** @type {Record<string, string>} */
const NAMES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", hellip: "…", mdash: "—", ndash: "–" };

/**
 * What character references stand for; what is none of those known stays as it was written.
 * @param {string} text
 */
export function decodeHTMLStrict(text) {
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]+));/gi, (written, hex, decimal, name) => {
    if (name) return Object.hasOwn(NAMES, name) ? NAMES[name] : written;
    const code = hex ? parseInt(hex, 16) : Number(decimal);
    const isText = code > 31 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return isText ? String.fromCodePoint(code) : "\ufffd";
  });
}

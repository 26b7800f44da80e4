// In the place of the package `punycode.js`: every browser has that algorithm behind `URL`.

/**
 * A host as the network knows it. Throws a TypeError where it is none; markdown-it leaves it as it was then.
 * @param {string} host
 */
const toASCII = (host) => new URL(`http://${host}`).hostname;

/**
 * A host as it was written: what to show of it is decided in links.js.
 * @param {string} host
 */
const toUnicode = (host) => host;

export default { toASCII, toUnicode };

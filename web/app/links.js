const SCHEMES = new Set(["http:", "https:", "mailto:"]);
const SCRIPTS = ["Latin", "Cyrillic", "Greek", "Armenian", "Hebrew", "Arabic", "Cherokee"].map(
  (name) => new RegExp(`\\p{Script=${name}}`, "u"),
);

/** Whether an address may become a link. @param {string} address */
export function isSafe(address) {
  try {
    return SCHEMES.has(new URL(address).protocol); // a relative one would lead into the chat itself
  } catch {
    return false;
  }
}

/**
 * What to show of an address: as it was written, unless its host mixes scripts that look alike; then the name that
 * the network uses, so that nobody takes one host for another.
 * @param {string} address @param {string} written
 */
export function shownAs(address, written) {
  const host = /^[a-z]+:\/\/([^/?#]*)/i.exec(written)?.[1] ?? "";
  return SCRIPTS.filter((script) => script.test(host)).length > 1 ? new URL(address).href : written;
}

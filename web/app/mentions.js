/**
 * Finds what calls somebody, as the server does: not in a mail address, not the beginning of another word (`@annabel`
 * does not call Ann; Chinese has no spaces around it), and of several names the longest.
 * @param {readonly string[]} names each with its @
 * @returns {RegExp | null} with one group, for `split`
 */
export function mentionsIn(names) {
  if (!names.length) return null;
  const longestFirst = [...names].sort((a, b) => b.length - a.length);
  return new RegExp(`(?<![A-Za-z0-9_.])(${longestFirst.map(escaped).join("|")})(?![A-Za-z0-9])`, "giu");
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

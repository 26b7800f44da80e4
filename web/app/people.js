// How people look: a seal of two characters in one of twelve colours.

const HUES = 12;
const HAN = /\p{Script=Han}/u;

/** Which of the twelve colours somebody has: FNV-1a over the id, so that it is the same everywhere. @param {string} id */
export function hueOf(id) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(id)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % HUES;
}

/** @param {string} text @returns {string[]} what people count as characters */
export function graphemes(text) {
  if (!Intl.Segmenter) return [...text];
  return [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)].map((one) => one.segment);
}

/** What stands on somebody's seal: the last two Han characters, or two initials. @param {string} nick */
export function initials(nick) {
  const all = graphemes(nick.trim());
  const han = all.filter((one) => HAN.test(one));
  if (han.length) return han.slice(-2).join("");
  const words = nick.trim().split(/[\s_.\-]+/u).filter(Boolean);
  const picked = words.length > 1 ? words.slice(0, 2).map((word) => graphemes(word)[0]) : all.slice(0, 2);
  return picked.join("").toUpperCase() || "?";
}

const NICK_GRAPHEMES = 32;
const NICK_BYTES = 128;

/** Whether the server would take it for a name (docs/wire/README.md, "Names"): one is told before one is turned away. @param {string} nick */
export function isName(nick) {
  return /^(?![*@/#])(?:[^\p{C}\p{Zl}\p{Zp}]|\u200d)+$/u.test(nick) && graphemes(nick).length <= NICK_GRAPHEMES
    && new TextEncoder().encode(nick).length <= NICK_BYTES;
}

const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|[\u200d\ufe0f\u20e3\s])+$/u;

/** Whether a text is only a few emoji, which are then shown large. @param {string} text */
export function isJumbo(text) {
  return text.length < 60 && EMOJI.test(text) && graphemes(text.replace(/\s/g, "")).length <= 6;
}

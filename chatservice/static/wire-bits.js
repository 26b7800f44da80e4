// One frame, taken apart: nodes and textContent only, so that what comes over the wire stays text.

import { element } from "./lite-rows.js";

const OCTETS_SHOWN = 64, POINTS_SHOWN = 32;

/** Pairs of hexadecimal digits as numbers. */
export const octets = (hex) => (hex.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
const bits = (number, size) => number.toString(2).padStart(size, "0");

const field = (name, value) => element("span", { class: "field" }, element("span", {}, name), element("code", {}, value));
const octet = (value, ...fields) => element("div", { class: "octet" }, element("b", {}, value), element("div", { class: "fields" }, ...fields));

/** The head of a frame, bit by bit. */
export function head(frame, word) {
  const all = octets(frame.head), [first, second] = all, opcode = first & 15;
  const is_masked = second >> 7, short = second & 127, more = { 126: 2, 127: 8 }[short] ?? 0;
  const parts = [
    octet(hex([first]), field("FIN", bits(first >> 7, 1)), field("RSV 1–3", bits(first >> 4 & 7, 3)), field(`${word("opcode")} ${opcode}`, bits(opcode, 4))),
    octet(hex([second]), field("MASK", bits(is_masked, 1)), field(`${word("bits_length")} ${short}`, bits(short, 7))),
  ];
  if (more) parts.push(octet(hex(all.slice(2, 2 + more)), field(word("more", { n: more }), String(frame.length))));
  if (is_masked) parts.push(octet(hex(all.slice(2 + more)), field(word("key"), "XOR")));
  return element("div", { class: "bits" }, ...parts);
}

/** What its bits say, in sentences. */
export function sentences(frame, word) {
  const [first, second] = octets(frame.head), short = second & 127;
  const told = [word(first >> 7 ? "fin_yes" : "fin_no")];
  if (first & 0x40) told.push(word("rsv"));
  told.push(word(short === 126 ? "form16" : short === 127 ? "form64" : "form7"), word(second >> 7 ? "is_masked" : "not_masked"));
  return told;
}

/** The payload, octet by octet; with a mask, three rows of it. */
export function payload(frame, word) {
  const plain = octets(frame.payload), masked = octets(frame.masked ?? ""), key = octets(frame.key ?? "");
  const bad = frame.utf8?.good === false ? frame.utf8.at : -1;
  const failing = bad < 0 ? 0 : Math.max(1, octets(frame.utf8.octets).length);
  const cells = plain.slice(0, OCTETS_SHOWN).map((value, at) => {
    const rows = key.length ? [element("span", { class: "m" }, hex([masked[at]])), element("span", { class: "k" }, hex([key[at % 4]]))] : [];
    return element("span", { class: at >= bad && at < bad + failing ? "fails" : null }, ...rows, element("span", { class: "p" }, hex([value])));
  });
  const made = [element("h3", {}, word("payload", { n: frame.length }) + (key.length ? ` — ${word("three")}` : ""))];
  if (cells.length) made.push(element("div", { class: "octets" }, ...cells));
  if (frame.length > cells.length) made.push(element("p", { class: "quiet" }, word("shown", { n: cells.length })));
  return made;
}

/** The characters of a good text, each with its code point and octets. */
export function points(text, word) {
  const encoder = new TextEncoder();
  const shown = [...text].slice(0, POINTS_SHOWN).map((character) => {
    const number = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    return element("span", {}, element("b", { dir: "auto" }, /[\p{C}\p{M}\p{Z}]/u.test(character) ? "◌" : character), number, element("span", {}, hex(encoder.encode(character))));
  });
  return shown.length ? [element("h3", {}, word("points")), element("div", { class: "points" }, ...shown)] : [];
}

/** A text, if these octets are one. */
export function decoded(hexadecimal) {
  try { return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(octets(hexadecimal))); } catch { return null; }
}

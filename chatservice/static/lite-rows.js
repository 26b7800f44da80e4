// The list of messages: built from nodes and textContent only, so that what people write stays text.

import { say } from "./lite-words.js";

const MOST_ROWS = 500;
const GROUP_MS = 5 * 60_000;

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function hue(name) {   // FNV-1a, so that a person keeps one colour everywhere
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return String(hash % 12);
}

export function initials(name) {
  const characters = [...name.trim()];
  const han = characters.filter((character) => /\p{Script=Han}/u.test(character));
  if (han.length) return han.slice(-2).join("");
  const words = name.trim().split(/[\s._-]+/).filter(Boolean);
  const both = words.length > 1 ? [...words[0]][0] + [...words.at(-1)][0] : characters.slice(0, 2).join("");
  return both.toUpperCase();
}

export function seal(name) {
  return element("span", { class: "seal", "data-hue": hue(name), "aria-hidden": "true" }, initials(name));
}

export class Rows {
  constructor(list, language) {
    this.list = list;
    this.language = language;
  }

  clear(above = 0) {
    for (const row of [...this.list.children]) {
      if (above === 0 || Number(row.dataset.seq || row.dataset.after) > above) row.remove();
    }
    this.regroup();
  }

  // Insert by number: what `/history` brings again is shown once, in its place. Returns the new row or null.
  message(frame) {
    let before = null;
    for (let row = this.list.lastElementChild; row; row = row.previousElementSibling) {
      const seq = Number(row.dataset.seq || 0);
      if (seq === frame.seq) return null;
      if (seq && seq < frame.seq) break;
      if (seq) before = row;
    }
    const at = new Date(frame.ts);
    const time = new Intl.DateTimeFormat(this.language, { hour: "2-digit", minute: "2-digit" }).format(at);
    const full = new Intl.DateTimeFormat(this.language, { dateStyle: "full", timeStyle: "medium" }).format(at);
    const nick = element("b", { class: "nick", "data-hue": hue(frame.from.nick) }, element("bdi", {}, frame.from.nick));
    const row = element("li", { class: frame.action ? "row action" : "row", "data-seq": frame.seq, "data-ts": frame.ts, "data-by": frame.from.id },
      seal(frame.from.nick),
      element("div", { class: "head" }, nick, " ", element("time", { datetime: at.toISOString(), title: full }, time)),
      element("div", { class: "text", dir: "auto" }, frame.action ? frame.data : frame.text));
    this.list.insertBefore(row, before);
    this.#trim();
    this.regroup();
    return row;
  }

  notice(words, kind = "notice") {
    const after = this.list.lastElementChild;
    const row = element("li", { class: kind, "data-after": after ? after.dataset.seq || after.dataset.after : 0 },
      element("span", { dir: "auto" }, words));
    this.list.append(row);
    this.#trim();
    this.regroup();
    return row;
  }

  get first() {
    return Number(this.list.querySelector("[data-seq]")?.dataset.seq || 0);
  }

  #trim() {
    while (this.list.children.length > MOST_ROWS) this.list.firstElementChild.remove();
  }

  // Who goes on talking needs no second head; a new day gets a line of its own.
  regroup() {
    let previous = null;
    for (const row of [...this.list.children]) {
      if (row.classList.contains("day")) { row.remove(); continue; }
      if (!row.dataset.seq) { previous = null; continue; }
      const at = new Date(Number(row.dataset.ts));
      const newDay = !this.lastDay || this.lastDay !== at.toDateString();
      if (newDay) {
        this.list.insertBefore(element("li", { class: "day" }, element("span", {}, this.#day(at))), row);
        previous = null;
      }
      this.lastDay = at.toDateString();
      const goesOn = previous !== null && previous.dataset.by === row.dataset.by && !row.classList.contains("action")
        && !previous.classList.contains("action") && Number(row.dataset.ts) - Number(previous.dataset.ts) < GROUP_MS;
      row.classList.toggle("goes-on", goesOn);
      previous = row;
    }
    this.lastDay = null;
  }

  #day(at) {
    const date = new Intl.DateTimeFormat(this.language, { dateStyle: "full" }).format(at);
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
    if (days === 0) return `${say(this.language, "today")} · ${date}`;
    if (days === 1) return `${say(this.language, "yesterday")} · ${date}`;
    return date;
  }
}

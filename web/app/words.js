import en from "./words/en.js";
import zh from "./words/zh-CN.js";

/** @typedef {keyof typeof en} Name */
/** @typedef {Record<Name, string | Record<string, string>>} Catalogue */

/** @type {Record<string, Catalogue>} */
export const CATALOGUES = { en, "zh-CN": zh };

/**
 * The language to use: the first wish that we speak. Any Chinese is better served by ours than by English.
 * @param {readonly (string | null | undefined)[]} wishes
 */
export function choose(wishes) {
  for (const wish of wishes) {
    if (/^zh\b/i.test(wish ?? "")) return "zh-CN";
    if (/^en\b/i.test(wish ?? "")) return "en";
  }
  return "en";
}

/**
 * The words of a language; empty for a name that is none.
 * @param {string} lang
 * @returns {(name: Name, values?: Record<string, string | number>) => string}
 */
export function speak(lang) {
  const words = CATALOGUES[lang] ?? en;
  /** @type {Intl.PluralRules} both made when they are needed: the door says no number */
  let plurals;
  /** @type {Intl.NumberFormat} */
  let numbers;
  return (name, values = {}) => {
    const entry = words[name];
    if (!entry) return ""; // made of something that a newer service says
    const pattern = typeof entry === "string" ? entry : entry[(plurals ??= new Intl.PluralRules(lang)).select(Number(values.n))] ?? entry.other;
    return pattern.replace(/\{(\w+)\}/g, (hole, key) => {
      const value = values[key];
      return typeof value === "number" ? (numbers ??= new Intl.NumberFormat(lang)).format(value) : value ?? hole;
    });
  };
}

/** @type {{key: string, say: (ts: number) => string}} making the formats costs more than a row does */
let days = { key: "", say: String };

/** Today, yesterday, or the date with its day of the week. @param {string} lang @param {number} now */
export function dayWords(lang, now) {
  const key = `${lang} ${now}`;
  if (days.key !== key) days = { key, say: makeDayWords(lang, now) };
  return days.say;
}

/** @param {string} lang @param {number} now */
function makeDayWords(lang, now) {
  const say = speak(lang);
  const full = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long" });
  const past = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const midnight = (/** @type {number} */ ts) => new Date(ts).setHours(0, 0, 0, 0);
  const yesterday = new Date(now).setDate(new Date(now).getDate() - 1); // not 24 hours ago: a day may have 23
  return (/** @type {number} */ ts) => {
    const format = new Date(ts).getFullYear() === new Date(now).getFullYear() ? full : past;
    const date = format.format(ts).replace(/日(?=星期)/, "日 ");
    if (midnight(ts) === midnight(now)) return `${say("today")} · ${date}`;
    return midnight(ts) === midnight(yesterday) ? `${say("yesterday")} · ${date}` : date;
  };
}

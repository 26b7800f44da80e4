import { computed, effect, signal } from "@preact/signals";
import { choose, speak } from "../words.js";
import * as keep from "./keep.js";

/** @typedef {"all" | "mentions" | "none"} Level what one is told of */

/**
 * @template Value
 * @param {string} name @param {Value} otherwise @param {readonly Value[]} [allowed]
 */
function kept(name, otherwise, allowed) {
  const saved = keep.get(name);
  const isGood = saved !== undefined && (allowed ? allowed.includes(saved) : typeof saved === typeof otherwise);
  const value = signal(isGood ? /** @type {Value} */ (saved) : otherwise);
  let isFirst = true;
  effect(() => {
    const { value: now } = value;
    if (!isFirst) keep.set(name, now);
    isFirst = false;
  });
  return value;
}

/** What a person has chosen; kept over a reload. */
export class Settings {
  theme = kept("theme", "auto", ["auto", "light", "dark"]);
  enter = kept("enter", "enter", ["enter", "ctrl"]);
  moves = kept("moves", true);
  people = kept("people", true); // whether who is there is seen beside the room, where there is space
  sound = kept("sound", false);
  desktop = kept("desktop", false);
  level = kept("level", /** @type {Level} */ ("mentions"), ["all", "mentions", "none"]);
  levels = kept("levels", /** @type {Record<string, Level>} */ ({}));
  wish = kept("lang", /** @type {string} */ (""));
  lang;
  say;
  locale;

  /** @param {string | null} asked by the address @param {readonly string[]} languages the browser's */
  constructor(asked, languages) {
    if (asked) this.wish.value = choose([asked]);
    this.lang = computed(() => choose([this.wish.value || null, ...languages]));
    this.say = computed(() => speak(this.lang.value));
    // One's own country's way to write times, if that country speaks the language.
    this.locale = computed(() => languages.find((one) => choose([one, "-"]) === this.lang.value && /^(en|zh)/i.test(one)) ?? this.lang.value);
  }

  /** @param {string} room @returns {Level} */
  levelOf(room) {
    return this.levels.value[room] ?? (room.startsWith("dm:") ? "all" : this.level.value);
  }

  /** @param {string} room @param {Level | ""} level empty: as everywhere */
  setLevel(room, level) {
    const { [room]: _, ...others } = this.levels.value;
    this.levels.value = level ? { ...others, [room]: level } : others;
  }
}

import { html } from "../html.js";

/** @type {Map<string, {short: Intl.DateTimeFormat, full: Intl.DateTimeFormat}>} making one costs more than using it */
const formats = new Map();

/** @param {string} locale */
function formatsOf(locale) {
  const known = formats.get(locale);
  if (known) return known;
  const made = {
    short: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" }),
    full: new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" }),
  };
  formats.set(locale, made);
  return made;
}

/** When it was said. @param {{ts: number, store: import("../store/store.js").Store}} props */
export function Time({ ts, store }) {
  const { short, full } = formatsOf(store.settings.locale.value);
  return html`<time datetime=${new Date(ts).toISOString()} title=${full.format(ts)}>${short.format(ts)}</time>`;
}

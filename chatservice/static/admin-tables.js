// Figures and tables of the operator's page, from nodes and textContent only: nicks and room names stay text.

import { element } from "./lite-rows.js";

const ORDINARY = ["0 B", "live"], UNITS = ["B", "KiB", "MiB", "GiB"];

export function bytes(number) {
  let unit = 0;
  while (number >= 1024 && unit < UNITS.length - 1) { number /= 1024; unit += 1; }
  return `${number >= 100 || unit === 0 ? Math.round(number) : number.toFixed(1)} ${UNITS[unit]}`;
}

export function duration(seconds) {
  const [d, h, m] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  return d ? `${d} d ${h} h` : h ? `${h} h ${m} min` : m ? `${m} min` : `${Math.floor(seconds)} s`;
}

/** A line of what was, the newest at the right. */
export function spark(values) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  const most = Math.max(1e-9, ...values), step = 100 / Math.max(1, values.length - 1);
  svg.setAttribute("viewBox", "0 0 100 28"); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("aria-hidden", "true");
  line.setAttribute("vector-effect", "non-scaling-stroke");
  line.setAttribute("points", values.map((value, at) => `${(at * step).toFixed(1)},${(26 - 24 * value / most).toFixed(1)}`).join(" "));
  svg.append(line);
  return svg;
}

export const tile = (name, value, ...more) => element("div", {}, element("dt", {}, name), element("dd", {}, value), ...more);

/** `columns`: a heading, what stands below it, and of which kind that is: a `number` is set to the right, `title` is what a row
  * is about, `act` what can be done with it. Where there is no space for a table each row is a card (admin.css), in which what
  * stands there is named by its heading, and nothing is said of what is as always; then the roles say that it is a table still. */
export function table(label, columns, rows, kind = () => null) {
  const head = columns.map(([name, , kind]) => element("th", { scope: "col", role: "columnheader", class: kind ?? null }, name));
  const cell = (row, [name, cell, kind]) => {
    const made = [cell(row)].flat(), nothing = !made.length || ORDINARY.includes(made[0]);
    return element("td", { role: "cell", "data-label": name, class: [kind, nothing && "none"].filter(Boolean).join(" ") || null }, ...made);
  };
  const body = rows.map((row) => element("tr", { role: "row", class: kind(row) }, ...columns.map((column) => cell(row, column))));
  const acts = columns.some(([, , kind]) => kind === "act");
  return element("table", { role: "table", "aria-label": label, class: acts ? "acts" : null },
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...head)), element("tbody", { role: "rowgroup" }, ...body));
}

export const tag = (words, kind = "") => element("span", { class: `tag ${kind}` }, words);
export const name = (words) => element("bdi", {}, words);

/** Names one after the other, each in its own direction; of many only the first. */
export function names(all, most = 6) {
  const shown = all.slice(0, most).flatMap((one) => [element("bdi", { class: "one" }, one), " "]);
  return all.length > most ? [...shown, `+${all.length - most}`] : shown;
}

import { html } from "../html.js";
import { hueOf, initials } from "../people.js";

/** Somebody's seal. @param {{person: {id: string, nick: string}, size?: "s" | "m"}} props */
export function Seal({ person, size = "m" }) {
  const text = initials(person.nick);
  return html`<span class="seal ${size}" data-hue=${hueOf(person.id)} data-n=${[...text].length} aria-hidden="true">${text}</span>`;
}

import { html } from "../html.js";

/** One of several. @param {{label: string, value: string, options: [string, string][], set: (value: string) => void}} props */
export function Select({ label, value, options, set }) {
  return html`<label><span>${label}</span><select value=${value} onChange=${(/** @type {any} */ event) => set(event.target.value)}>
    ${options.map(([name, words]) => html`<option key=${name} value=${name} selected=${name === value}>${words}</option>`)}</select></label>`;
}

/** Yes or no. @param {{label: string, value: boolean, set: (value: boolean) => void}} props */
export function Check({ label, value, set }) {
  return html`<label class="check"><input type="checkbox" checked=${value} onChange=${(/** @type {any} */ event) => set(event.target.checked)} /><span>${label}</span></label>`;
}

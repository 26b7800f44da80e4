import { COMMANDS } from "../commands.js";
import { html } from "../html.js";
import { written } from "../keys.js";
import { SHORTCUTS } from "./shortcuts.js";
import { useStore } from "./use.js";

/** Which keys and commands there are. */
export function KeysDialog() {
  const store = useStore();
  const say = store.say.value;
  return html`<dl class="keys">${SHORTCUTS.map(([keys, name]) => html`<div key=${keys}><dt><kbd>${written(keys)}</kbd></dt><dd>${say(name)}</dd></div>`)}
      <div><dt><kbd>↑</kbd> <kbd>↓</kbd></dt><dd>${say("key-list")}</dd></div></dl>
    <h3>${say("commands")}</h3>
    <dl class="keys">${Object.entries(COMMANDS).map(([name, rest]) => html`<div key=${name}><dt><code>/${name}</code> <span class="quiet">${rest}</span></dt><dd>${say(/** @type {any} */ (`command-${name}`))}</dd></div>`)}</dl>`;
}

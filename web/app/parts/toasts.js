import { html } from "../html.js";
import { Icon } from "./icon.js";
import { useStore } from "./use.js";

/** Short words about what was done, with a way back. */
export function Toasts() {
  const store = useStore();
  return html`<div class="toasts" role="status" aria-live="polite">${store.toasts.value.map(({ id, text, act }) => html`
    <div class="toast" key=${id}><span>${text}</span>
      ${act && html`<button class="link" onClick=${() => { store.untoast(id); act.run(); }}>${act.name}</button>`}
      <button class="plain small" aria-label=${store.say.value("close")} onClick=${() => store.untoast(id)}><${Icon} name="close" /></button>
    </div>`)}</div>`;
}

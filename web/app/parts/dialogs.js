import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { isComposing } from "../keys.js";
import { later, load } from "../lazy.js";
import { Icon } from "./icon.js";
import { useStore } from "./use.js";

/** @type {Record<string, any>} */
const TITLES = { settings: "settings", rooms: "new-room", room: "room-menu", keys: "keys-open", nick: "rename", delete: "delete-ask" };

/** The dialog that is open, if one is. The browser keeps the focus in it and gives it back. */
export function Dialogs() {
  const store = useStore();
  const dialog = store.dialog.value;
  const isMissing = !!dialog && !later.value;
  useEffect(() => {
    if (!isMissing) return;
    load().catch(() => {
      store.dialog.value = null;
      store.complain({ code: "offline" });
    });
  }, [isMissing]);
  return dialog && later.value ? html`<${Frame} key=${dialog.name} dialog=${dialog} body=${later.value.BODIES[dialog.name]} />` : null;
}

/** @param {{dialog: any, body: any}} props */
function Frame({ dialog, body }) {
  const store = useStore();
  const say = store.say.value;
  const frame = useRef(/** @type {any} */ (null));
  const close = () => { store.dialog.value = null; };
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    frame.current.showModal();
    return () => (before?.isConnected ? before : document.getElementById("text"))?.focus();
  }, []);
  /** @param {KeyboardEvent} event while an input method is open, Escape and Enter are its own */
  const guard = (event) => {
    if (isComposing(event) && (event.key === "Enter" || event.key === "Escape")) event.preventDefault();
  };
  return html`<dialog ref=${frame} class=${dialog.name} aria-labelledby="dialog-title" onClose=${close} onKeyDown=${guard}
    onClick=${(/** @type {Event} */ event) => { if (event.target === frame.current) close(); }}>
    <div class="inside"><header><h2 class="serif" id="dialog-title">${say(TITLES[dialog.name])}</h2>
      <button class="plain" onClick=${close} aria-label=${say("close")}><${Icon} name="close" /></button></header>
    <${body} dialog=${dialog} close=${close} /></div>
  </dialog>`;
}

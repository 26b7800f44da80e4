import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { isComposing } from "../keys.js";
import { box } from "./box.js";
import { MemberMenu } from "./membermenu.js";
import { Seal } from "./seal.js";
import { Icon } from "./icon.js";
import { useStore } from "./use.js";

/** Who is here: those online, then those away. */
export function Members() {
  const store = useStore();
  const say = store.say.value;
  const room = store.current.value;
  const chosen = useSignal("");
  const isShown = store.panel.value === "people";
  const closer = useRef(/** @type {any} */ (null));
  useEffect(() => { if (isShown) closer.current.focus(); }, [isShown]); // where they are always seen, that one is not
  useEffect(() => { void room?.gather().catch(() => {}); }, [room, isShown, room?.isJoined.value]);
  const order = new Intl.Collator(store.lang.value);
  const people = [...(room?.people.value.values() ?? [])].sort((a, b) => order.compare(a.nick, b.nick));
  const isHere = (/** @type {any} */ person) => !person.status || person.status === "online" || person.status === "dnd";
  const groups = /** @type {const} */ ([["status-online", people.filter(isHere)], ["status-away", people.filter((one) => !isHere(one))]]);
  const close = () => {
    /** @type {HTMLElement | null} */ (isShown ? document.querySelector(".count") : box())?.focus();
    store.panel.value = "";
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key !== "Escape" || isComposing(event)) return;
    event.stopPropagation();
    if (chosen.value) {
      /** @type {HTMLElement | null} */ (document.querySelector(".person[aria-expanded=true]"))?.focus();
      chosen.value = "";
    }
    else close();
  };
  return html`<aside class="people" aria-label=${say("members")} onKeyDown=${onKeyDown}>
    <header class="drawer"><h2 class="serif">${say("members")}</h2><button class="plain" ref=${closer} onClick=${close} aria-label=${say("close")}><${Icon} name="close" /></button></header>
    ${groups.map(([name, group]) => group.length > 0 && html`<section key=${name}>
      <h2 id=${name}>${say(name)} — ${group.length}</h2>
      <ul aria-labelledby=${name}>${group.map((person) => html`<li key=${person.id}>
        <button class="person" aria-expanded=${chosen.value === person.id} onClick=${() => { chosen.value = chosen.value === person.id ? "" : person.id; }}>
          <${Seal} size="s" person=${person} /><bdi class="name">${person.nick}</bdi>
          ${person.id === store.me.value?.id && html`<span class="tag">${say("you")}</span>`}
          ${person.role && person.role !== "guest" && person.role !== "member" && html`<span class="tag line">${say(/** @type {any} */ (`role-${person.role}`)) || person.role}</span>`}
          <span class="lamp ${person.status ?? "online"}" /><span class="vh">${say(/** @type {any} */ (`status-${person.status ?? "online"}`))}</span>
        </button>
        ${person.text && html`<p class="quiet small" dir="auto">${person.text}</p>`}
        ${chosen.value === person.id && room && html`<${MemberMenu} person=${person} room=${room} close=${() => { chosen.value = ""; }} />`}
      </li>`)}</ul>
    </section>`)}
  </aside>`;
}

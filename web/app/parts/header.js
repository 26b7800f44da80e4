import { html } from "../html.js";
import { written } from "../keys.js";
import { Icon } from "./icon.js";
import { useStore } from "./use.js";

/** Which room this is, and what else one may see of it. */
export function Header() {
  const store = useStore();
  const say = store.say.value;
  const room = store.current.value;
  /** @param {"people" | "search"} name */
  const toggle = (name) => () => { store.panel.value = store.panel.value === name ? "" : name; };
  const n = room?.n.value ?? 0;
  const isBeside = store.isWide.value;
  const seesPeople = isBeside ? store.panel.value !== "search" && store.settings.people.value : store.panel.value === "people";
  const togglePeople = () => {
    if (!isBeside) return toggle("people")();
    store.settings.people.value = !seesPeople;
    store.panel.value = "";
  };
  return html`<header class="head">
    <button class="plain back" onClick=${() => store.goBack()} aria-label=${say("back")}><${Icon} name="back" />
      <${Elsewhere} /></button>
    <div class="title">
      <h1 class="serif" dir="auto">${room?.title.value ?? say("house")}</h1>
      ${room && html`<p dir="auto" title=${room.topic.value}>${room.topic.value || (room.isDM ? "" : room.isJoined.value ? say("no-topic") : "")}</p>`}
    </div>
    <button class="plain" aria-expanded=${store.panel.value === "search"} onClick=${toggle("search")} aria-label=${say("search")} title="${say("search")} ${written("Mod+Shift+f")}"><${Icon} name="search" /></button>
    ${room && html`<button class="plain" onClick=${() => { store.dialog.value = { name: "room" }; }} aria-label=${say("room-menu")} title=${say("room-menu")}><${Icon} name="dots" /></button>
      <button class="count" aria-expanded=${seesPeople} onClick=${togglePeople} aria-label=${say("people-in", { n })}><${Icon} name="people" /><span aria-hidden="true">${n || ""}</span></button>`}
  </header>`;
}

/** On a narrow page: something waits in another room. */
function Elsewhere() {
  const store = useStore();
  const isWaiting = [...store.rooms.value.values()].some((room) => room !== store.current.value && room.marks.isLoud.value);
  return isWaiting ? html`<span class="dot loud" />` : null;
}

import { html } from "../html.js";
import { written } from "../keys.js";
import { Icon } from "./icon.js";
import { Seal } from "./seal.js";
import { useStore } from "./use.js";

/** @typedef {import("../store/room.js").RoomState} RoomState */

/** The rooms one is in, and oneself. */
export function Rooms() {
  const store = useStore();
  const say = store.say.value;
  const all = [...store.rooms.value.values()];
  const dms = all.filter((room) => room.isDM);
  const find = () => { store.dialog.value = { name: "rooms" }; };
  return html`<nav class="rooms" aria-label=${say("rooms")}>
    <header>
      <span class="house" aria-hidden="true">話</span><${store.isAlone.value ? "h1" : "strong"} class="serif">${say("house")}<//>
      <button class="plain" onClick=${find} aria-label=${say("new-room")} title=${say("new-room")}><${Icon} name="plus" /></button>
    </header>
    <button class="find" onClick=${find}>${say("find-room")} <kbd>${written("Mod+k")}</kbd></button>
    <div class="places">
      <ul>${all.filter((room) => !room.isDM).map((room) => html`<${Place} key=${room.name} room=${room} />`)}</ul>
      ${dms.length > 0 && html`<h2 id="dms">${say("conversations")}</h2>
        <ul aria-labelledby="dms">${dms.map((room) => html`<${Place} key=${room.name} room=${room} />`)}</ul>`}
    </div>
    <${Me} />
  </nav>`;
}

/** @param {{room: RoomState}} props */
function Place({ room }) {
  const store = useStore();
  const say = store.say.value;
  const { unread, mentions } = room.marks;
  const isHere = store.current.value === room;
  const isLoud = room.marks.isLoud.value;
  const isMute = store.settings.levelOf(room.name) === "none";
  const count = mentions.value || unread.value;
  return html`<li><button class="place" aria-current=${isHere ? "page" : undefined} data-unread=${(unread.value > 0 && !isMute) || undefined} onClick=${() => store.open(room.name)}>
    ${room.isDM ? html`<${Seal} size="s" person=${{ id: room.other.value?.id ?? "", nick: room.title.value }} />` : html`<span class="hash" aria-hidden="true">#</span>`}
    <span class="name" dir="auto">${room.title.value}</span>
    ${isLoud && !isMute ? html`<span class=${mentions.value ? "badge loud" : "badge"}><span aria-hidden="true">${count > 99 ? "99+" : count}</span><span class="vh">${say(mentions.value ? "mention-count" : "unread-count", { n: count })}</span></span>`
    : unread.value > 0 && !isMute && html`<span class="dot"><span class="vh">${say("unread-count", { n: unread.value })}</span></span>`}
  </button></li>`;
}

function Me() {
  const store = useStore();
  const say = store.say.value;
  const me = store.me.value;
  const person = { id: me?.id ?? "", nick: me?.nick ?? store.nick.value };
  const status = store.isOnline.value ? me?.status ?? "online" : "";
  return html`<footer>
    <${Seal} person=${person} />
    <button class="me" onClick=${() => { store.dialog.value = { name: "nick" }; }} title=${say("rename")}>
      <bdi>${person.nick}</bdi><span class="vh">, </span>
      <span class="status ${status}">${status ? say(/** @type {any} */ (`status-${status}`)) : say("connecting")}</span>
    </button>
    <button class="plain" onClick=${() => { store.dialog.value = { name: "settings" }; }} aria-label=${say("settings")} title=${say("settings")}><${Icon} name="gear" /></button>
  </footer>`;
}

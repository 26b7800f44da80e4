import { effect } from "@preact/signals";
import * as keep from "./keep.js";
import { ring } from "./sound.js";

const WAIT_MS = 400; // another page of ours may be reading it right now
const HOLD_MS = 3000; // timers of hidden pages come once a second

/** What tells a person who looks elsewhere: the title, the icon, a sound, a notification. */
export class Attention {
  #loud = 0;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    effect(() => this.#title());
  }

  #title() {
    const { store } = this;
    const say = store.say.value;
    let unread = 0;
    let loud = 0;
    for (const room of store.rooms.value.values()) {
      if (store.settings.levelOf(room.name) === "none") continue;
      unread += room.marks.unread.value;
      if (room.marks.isLoud.value) loud += Math.max(room.marks.mentions.value, 1);
    }
    const room = store.current.value;
    const place = room ? `${room.title.value} · ${say("house")}` : say("house");
    document.title = unread ? `(${unread}) ${place}` : place;
    this.#icon(loud ? "loud" : unread ? "quiet" : "");
    if (loud === this.#loud) return;
    this.#loud = loud;
    const badge = /** @type {any} */ (navigator);
    if (loud) badge.setAppBadge?.(loud)?.catch(() => {});
    else badge.clearAppBadge?.()?.catch(() => {});
  }

  /** @param {"loud" | "quiet" | ""} dot */
  #icon(dot) {
    const link = document.querySelector("link[rel=icon]") ?? document.head.appendChild(Object.assign(document.createElement("link"), { rel: "icon" }));
    if ( link.getAttribute("data-dot") === dot) return;
    link.setAttribute("data-dot", dot);
    const mark = dot && `<circle cx='25' cy='7' r='7' fill='${dot === "loud" ? "#1B567F" : "#8B8574"}' stroke='#fff' stroke-width='2'/>`;
    const seal = "<rect width='32' height='32' rx='5' fill='#B2331C'/><path d='M8 9.5h16V20H15l-4.500 4v-4H8z' fill='none' stroke='#fff' stroke-width='2' stroke-linejoin='round'/>";
    link.setAttribute("href", `data:image/svg+xml,${encodeURIComponent(`<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>${seal}${mark}</svg>`)}`);
  }

  /** A message of somebody else. @param {import("./room.js").RoomState} room @param {any} message @param {boolean} isForMe */
  told(room, message, isForMe) {
    const { store } = this;
    if (store.isCurrent(room) && store.isAttending()) return;
    const level = store.settings.levelOf(room.name);
    if (level === "none" || (level === "mentions" && !isForMe)) return;
    if (!store.settings.sound.value && !store.settings.desktop.value) return;
    setTimeout(() => this.#once(room.name, message.seq, () => {
      if (room.marks.read >= message.seq) return;
      if (store.settings.sound.value) ring();
      if (store.settings.desktop.value) this.#notify(room, message);
    }), WAIT_MS + Math.random() * WAIT_MS);
  }

  /**
   * Of all pages of ours only one makes noise. What one keeps another sees a moment later; a lock has no such moment,
   * but plain HTTP has no locks.
   * @param {string} room @param {number} seq @param {() => void} act
   */
  #once(room, seq, act) {
    const go = () => { if (this.#isFirst(room, seq)) act(); };
    if (!navigator.locks) return go();
    void navigator.locks.request(`${keep.PREFIX} ${room} ${seq}`, { ifAvailable: true }, (lock) => {
      if (lock) go();
      return lock && new Promise((resolve) => setTimeout(resolve, HOLD_MS));
    }).catch(() => {});
  }

  /** @param {string} room @param {number} seq */
  #isFirst(room, seq) {
    const rung = keep.get("rung") ?? {};
    if (rung.room === room && rung.seq >= seq) return false;
    keep.set("rung", { room, seq });
    return true;
  }

  /** @param {import("./room.js").RoomState} room @param {any} message */
  #notify(room, message) {
    if (globalThis.Notification?.permission !== "granted") return;
    const { store } = this;
    const nick = store.nickOf(message.from);
    try {
      const shown = new Notification(room.isDM ? nick : `${nick} · ${room.title.value}`, {
        body: String(message.text ?? "").slice(0, 200), tag: `${keep.PREFIX} ${room.name}`, lang: store.lang.value,
      });
      shown.onclick = () => {
        window.focus();
        store.open(room.name);
        shown.close();
      };
    } catch {} // Chrome on Android wants a service worker for it
  }

  /** Ask for the right to notify; only ever called from a click. @returns {Promise<boolean>} */
  async ask() {
    const { Notification } = globalThis;
    if (!Notification) return false;
    return (await Notification.requestPermission()) === "granted";
  }
}

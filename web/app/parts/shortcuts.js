import { chord } from "../keys.js";
import { box } from "./box.js";

/** @typedef {import("../store/store.js").Store} Store */

/** Keys that work everywhere, as in Element. They are told in the dialog of keys. */
export const SHORTCUTS = /** @type {const} */ ([
  ["Mod+k", "key-rooms"], ["Mod+Shift+f", "key-search"], ["Alt+ArrowUp", "key-room"], ["Alt+Shift+ArrowUp", "key-unread"],
  ["Escape", "key-read"], ["Shift+PageUp", "key-first"], ["PageUp", "key-scroll"], ["ArrowUp", "key-edit"],
  ["Mod+ArrowUp", "key-history"], ["Mod+/", "key-help"],
]);

/** @param {Store} store */
export function listenToKeys(store) {
  addEventListener("keydown", (event) => {
    if (store.dialog.peek() || event.defaultPrevented) return;
    const act = ACTS[chord(event)];
    if (act) {
      event.preventDefault();
      act(store);
    }
  });
}

/** @type {Record<string, (store: Store) => void>} */
const ACTS = {
  "Mod+k": (store) => { store.dialog.value = { name: "rooms" }; },
  "Mod+/": (store) => { store.dialog.value = { name: "keys" }; },
  "Mod+Shift+f": (store) => { store.panel.value = "search"; },
  "Alt+ArrowUp": (store) => step(store, -1),
  "Alt+ArrowDown": (store) => step(store, 1),
  "Alt+Shift+ArrowUp": (store) => step(store, -1, true),
  "Alt+Shift+ArrowDown": (store) => step(store, 1, true),
  Escape: (store) => {
    if (store.panel.peek()) return void (store.panel.value = "");
    const room = store.current.peek();
    if (!room) return;
    room.marks.rule.value = undefined;
    /** @type {HTMLElement | null} */ (document.querySelector(".pill"))?.click();
    void room.marks.readAll();
    box()?.focus();
  },
  "Shift+PageUp": () => document.querySelector(".scroller .unread")?.scrollIntoView({ block: "start" }),
};

/** @param {Store} store @param {number} by @param {boolean} [wantsUnread] */
function step(store, by, wantsUnread = false) {
  const all = [...store.rooms.peek().values()];
  const rooms = [...all.filter((room) => !room.isDM), ...all.filter((room) => room.isDM)];
  const here = rooms.findIndex((room) => room === store.current.peek());
  for (let count = 1; count <= rooms.length; count++) {
    const room = rooms[(here + by * count + rooms.length * count) % rooms.length];
    if (room && (!wantsUnread || room.marks.unread.peek())) return void store.open(room.name);
  }
}

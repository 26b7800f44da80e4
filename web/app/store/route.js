import { effect } from "@preact/signals";
import { asked } from "../address.js";

/**
 * The address names the room, so that it can be given away, and back leads back. On a narrow page the list of rooms
 * is a place of its own.
 * @param {import("./store.js").Store} store
 */
export function followAddress(store) {
  let isFirst = true;
  let isBack = false;
  effect(() => {
    const room = store.current.value?.name;
    const screen = store.screen.value;
    const url = new URL(location.href);
    url.searchParams.delete("lang"); // it has been taken up by the settings
    url.searchParams.delete("at");
    if (room) url.searchParams.set("room", room);
    const state = { room, screen };
    if (isFirst) history.replaceState(state, "", url);
    else if (!isBack && (history.state?.room !== room || history.state?.screen !== screen)) history.pushState(state, "", url);
    isFirst = isBack = false;
  });
  addEventListener("popstate", ({ state }) => {
    isBack = true;
    const room = state?.room ?? asked().get("room");
    if (room && room !== store.current.peek()?.name) store.show(store.add(room));
    isBack = true;
    store.screen.value = state?.screen ?? "room";
    isBack = false;
  });
}

import { html } from "../html.js";
import { Icon } from "./icon.js";

/**
 * The way back to the end.
 * @param {{list: import("./list.js").List, room: import("../store/room.js").RoomState, store: import("../store/store.js").Store}} props
 */
export function Pill({ list, room, store }) {
  const say = store.say.value;
  const n = room.marks.below.value;
  if (!n && !list.isFar.value) return null;
  const label = n ? say("new-below", { n }) : say("to-newest");
  return html`<button class="pill ${n ? "" : "quiet"}" onClick=${list.toNewest}>
    <${Icon} name="down" />${label}</button>`;
}

import { html } from "../html.js";

/** @typedef {import("../store/store.js").Store} Store */

const MOST = 3;

/** @param {readonly string[]} names @param {Store} store */
function listed(names, store) {
  const say = store.say.value;
  const list = new Intl.ListFormat(store.lang.value, { type: "conjunction" });
  return names.length > MOST ? say("names-more", { names: names.slice(0, MOST).join(say("comma")), n: names.length - MOST }) : list.format(names);
}

/** Who came and went, in one line. @param {{came: string[], left: string[], store: Store}} props */
export function Moves({ came, left, store }) {
  const say = store.say.value;
  const parts = [came.length && say("came", { names: listed(came, store) }), left.length && say("left", { names: listed(left, store) })];
  return html`<li class="note">${parts.filter(Boolean).join(" · ")}</li>`;
}

/** Something else that happened. @param {{note: import("../timeline.js").Note, store: Store}} props */
export function Note({ note, store }) {
  const say = store.say.value;
  const nick = note.user ? store.nickOf(note.user) : "";
  const value = note.action === "role" && say(/** @type {any} */ (`role-${note.value}`)) || note.value;
  const name = note.type === "nick" ? "is-now" : `did-${note.action}${note.action === "lock" || note.action === "private" ? `-${note.value}` : ""}`;
  const text = say(/** @type {any} */ (name), { was: note.was, nick, by: store.nickOf({ id: note.by ?? "" }), value: value ?? "" });
  return text && html`<li class="note">${text}${note.reason && ` (${note.reason})`}</li>`;
}

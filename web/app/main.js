import { effect } from "@preact/signals";
import { render } from "preact";
import { asked, handed, wanted } from "./address.js";
import { html } from "./html.js";
import { load, loadWithFirstTouch } from "./lazy.js";
import { App } from "./parts/app.js";
import { Door } from "./parts/door.js";
import { listenToKeys } from "./parts/shortcuts.js";
import * as keep from "./store/keep.js";
import { followAddress } from "./store/route.js";
import { Settings } from "./store/settings.js";
import { Store } from "./store/store.js";
import { watchSurroundings } from "./surroundings.js";

const root = /** @type {HTMLElement} */ (document.getElementById("app"));
const settings = new Settings(asked().get("lang"), navigator.languages);
// An invitation stands behind the #, which no server is sent; it does not stay in the address.
const invite = handed().get("invite");
const room = wanted();
if (invite) history.replaceState(null, "", location.pathname + location.search);

effect(() => {
  const { documentElement: page } = document;
  const theme = settings.theme.value;
  page.lang = settings.lang.value;
  page.dataset.theme = theme;
  // What the browser paints around the page goes with it, also where it is not the device's choice.
  for (const [index, scheme] of ["light", "dark"].entries()) {
    const meta = document.querySelectorAll("meta[name=theme-color]")[index];
    meta?.setAttribute("media", theme === "auto" ? `(prefers-color-scheme: ${scheme})` : theme === scheme ? "all" : "not all");
  }
});

function begin() {
  const store = new Store(settings);
  store.start(invite ? "" : room);
  if (invite) void load().then(({ acceptInvite }) => acceptInvite(store, room, invite));
  followAddress(store);
  listenToKeys(store);
  watchSurroundings(store);
  loadWithFirstTouch();
  render(html`<${App} store=${store} />`, root);
}

if (keep.get("nick") || keep.get("token")) {
  begin();
} else {
  render(html`<${Door} settings=${settings} room=${room || "lobby"} enter=${(/** @type {string} */ nick, /** @type {string} */ token) => {
    if (nick) keep.set("nick", nick);
    if (token) keep.set("token", token);
    render(null, root);
    begin();
  }} />`, root);
}

// What was pressed before there was a page; see first.js.
onclick = null;
globalThis.pressed?.click();

import { html } from "../html.js";
import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { Dialogs } from "./dialogs.js";
import { Header } from "./header.js";
import { List } from "./list.js";
import { Members } from "./members.js";
import { Search } from "./search.js";
import { Rooms } from "./rooms.js";
import { Bars } from "./bars.js";
import { Toasts } from "./toasts.js";
import { Typing } from "./typing.js";
import { Here, useStore } from "./use.js";

/** The whole page. @param {{store: import("../store/store.js").Store}} props */
export function App({ store }) {
  return html`<${Here.Provider} value=${store}><${Layout} /><//>`;
}

function Layout() {
  const store = useStore();
  const say = store.say.value;
  const room = store.current.value;
  /** What lies over the room goes when one presses beside it. @param {any} event */
  const outside = ({ target }) => {
    if (store.panel.value && !store.isWide.value && target.isConnected && !target.closest(".people, .head button")) store.panel.value = "";
  };
  // On a narrow page the list of rooms is a page of its own.
  if (store.isAlone.value) return html`<div class="page"><main class="alone"><${Rooms} /></main></div><${Toasts} /><${Dialogs} />`;
  return html`
    <a class="skip" href="#text" onClick=${toBox}>${say("skip")}</a>
    <div class="page" data-panel=${store.panel.value} data-people=${store.settings.people.value} onClick=${outside}>
      ${!store.isNarrow.value && html`<${Rooms} />`}
      <main>
        <${Header} />
        <${Bars} />
        ${room && html`<${List} key=${room.name} room=${room} store=${store} />`}
        <${Typing} />
        ${room && html`<${Composer} key=${room.name} room=${room} />`}
      </main>
      ${store.panel.value === "search" ? html`<${Search} />` : html`<${Members} />`}
    </div>
    <${Toasts} />
    <${Announcer} />
    <${Dialogs} />
  `;
}

/** @param {Event} event */
function toBox(event) {
  event.preventDefault();
  document.getElementById("text")?.focus();
}

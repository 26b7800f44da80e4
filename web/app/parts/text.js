import { h } from "preact";
import { html } from "../html.js";
import { markdown } from "../markdown.js";
import { mentionsIn } from "../mentions.js";
import { Icon } from "./icon.js";

/**
 * What somebody wrote, as elements.
 * @param {{text: string, mentions?: readonly string[], store: import("../store/store.js").Store}} props
 */
export function Text({ text, mentions = [], store }) {
  const me = store.me.value;
  /** @type {Map<string, boolean>} how they are written, and whether that is oneself */
  const names = new Map(mentions.map((id) => [`@${store.nickOf({ id })}`, id === me?.id]));
  const pattern = mentionsIn([...names.keys()]);

  /** @param {any} child */
  const named = (child) => {
    if (typeof child !== "string" || !pattern) return child;
    return child.split(pattern).map((part, index) => {
      if (index % 2 === 0) return part;
      const isMe = [...names].some(([name, mine]) => mine && name.toLowerCase() === part.toLowerCase());
      return html`<span class=${isMe ? "mention mine" : "mention"}>${part}</span>`;
    });
  };

  /** @type {import("../markdown.js").Make<any>} */
  const make = (tag, props, ...children) => {
    if (tag === "pre") return html`<div class="code"><pre tabindex="0">${children}</pre><${Copy} store=${store} /></div>`;
    return h(/** @type {any} */ (tag), props, ...(tag === "code" || tag === "a" ? children : children.map(named)));
  };
  return markdown(text, make);
}

/** @param {{store: import("../store/store.js").Store}} props */
function Copy({ store }) {
  const say = store.say.value;
  /** @param {Event} event */
  const copy = (event) => {
    const { currentTarget } = event;
    const code = /** @type {HTMLElement} */ (currentTarget).previousElementSibling?.textContent ?? "";
    store.copy(code);
  };
  return html`<button class="plain small" aria-label=${say("copy")} title=${say("copy")} onClick=${copy}><${Icon} name="copy" /></button>`;
}

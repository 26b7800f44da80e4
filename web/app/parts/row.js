import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { html } from "../html.js";
import { hueOf, isJumbo } from "../people.js";
import { Icon } from "./icon.js";
import { Seal } from "./seal.js";
import { Text } from "./text.js";
import { Time } from "./time.js";

/** @typedef {import("../store/store.js").Store} Store */
/** @typedef {import("../store/room.js").RoomState} RoomState */

/**
 * One message. It is drawn again only when the message is another object, or a word in it has changed.
 * @param {{message: any, isFirst: boolean, room: RoomState, store: Store}} props
 */
export function Row({ message, isFirst, room, store }) {
  const say = store.say.value;
  const { seq, ts, from, text, deleted, edited, reply, action, mentions, reactions } = message;
  const nick = store.nickOf(from);
  const me = store.me.value?.id;
  const isForMe = !!me && !!mentions?.includes(me);
  const kind = `row${isFirst ? " first" : ""}${isForMe ? " for-me" : ""}`;
  const body = deleted ? html`<p class="gone">${say("deleted")}</p>`
    : html`<div class="text ${!action && isJumbo(text) ? "jumbo" : ""}" dir="auto">
        ${action && html`<span class="by-action" data-hue=${hueOf(from.id)}>${nick} </span>`}<${Text} text=${text} mentions=${mentions} store=${store} />
        ${action && html` <span class="edited"><${Time} ts=${ts} store=${store} /></span>`}
        ${edited && html` <span class="edited">(${say("edited")})</span>`}
      </div>`;
  return html`<li class=${kind} data-seq=${seq} tabindex="-1">
    ${isFirst ? html`<${Seal} person=${{ id: from.id, nick }} />` : html`<span class="gutter"><${Time} ts=${ts} store=${store} /></span>`}
    <div class="body">
      ${isFirst && !action && html`<p class="by"><bdi class="nick" data-hue=${hueOf(from.id)}>${nick}</bdi> <${Time} ts=${ts} store=${store} /></p>`}
      ${reply && html`<${Quote} seq=${reply} room=${room} store=${store} />`}
      ${body}
      ${reactions && html`<${Reactions} seq=${seq} reactions=${reactions} room=${room} store=${store} />`}
    </div>
  </li>`;
}

/** What is answered. @param {{seq: number, room: RoomState, store: Store}} props */
function Quote({ seq, room, store }) {
  const say = store.say.value;
  const shown = useComputed(() => (room.messages.value, room.window.view.messages.get(seq)));
  const before = useMemo(() => room.handle.messages.find((one) => one.seq === seq), [seq]);
  const message = shown.value ?? before;
  return html`<button class="quote" onClick=${() => room.around(seq)} title=${say("jump-to")}><${Icon} name="reply" />
    ${message ? html`<bdi data-hue=${hueOf(message.from.id)} class="nick">${store.nickOf(message.from)}</bdi> <span dir="auto">${message.deleted ? say("deleted") : String(message.text).slice(0, 120).replace(/```[\w+#-]*|[`*~]+/g, "")}</span>`
    : html`<span>${say("reply-gone")}</span>`}</button>`;
}

/** @param {{seq: number, reactions: Record<string, {n: number, me: boolean}>, room: RoomState, store: Store}} props */
function Reactions({ seq, reactions, room, store }) {
  const say = store.say.value;
  return html`<p class="reactions">${Object.entries(reactions).map(([emoji, { n, me }]) => html`<button key=${emoji} aria-pressed=${me}
    aria-label=${say("reacted", { emoji, n })} onClick=${() => store.doing(() => room.handle.react(seq, emoji, !me))}><span class="emoji">${emoji}</span> ${n}</button>`)}</p>`;
}

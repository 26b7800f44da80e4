import { html } from "../html.js";
import { hueOf } from "../people.js";
import { Seal } from "./seal.js";
import { Text } from "./text.js";

/**
 * A message on its way.
 * @param {{letter: import("../store/outgoing.js").Letter, isFirst: boolean, store: import("../store/store.js").Store}} props
 */
export function Pending({ letter, isFirst, store }) {
  const say = store.say.value;
  const { cid, text, state, problem, action } = letter;
  const me = { id: store.me.value?.id ?? "", nick: store.me.value?.nick ?? store.nick.value };
  const isFailed = state === "failed";
  return html`<li class="row pending ${isFirst ? "first" : ""} ${isFailed ? "failed" : ""}">
    ${isFirst ? html`<${Seal} person=${me} />` : html`<span class="gutter" />`}
    <div class="body">
      ${isFirst && html`<p class="by"><bdi class="nick" data-hue=${hueOf(me.id)}>${me.nick}</bdi></p>`}
      <div class="text" dir="auto">${action && html`<span class="by-action">${me.nick} </span>`}<${Text} text=${text} store=${store} /></div>
      ${isFailed ? html`<p class="fate failed"><span>${say("failed")}${problem ? `: ${problem}` : ""}</span>
          <button class="link" onClick=${() => store.outgoing.retry(cid)}>${say("retry")}</button>
          <button class="link" onClick=${() => store.outgoing.discard(cid)}>${say("discard")}</button></p>`
      : state === "slow" && html`<p class="fate"><span>${store.isOnline.value ? say("pending") : say("waiting")}</span>
          ${!store.isOnline.value && html`<button class="link" onClick=${() => store.outgoing.discard(cid)}>${say("discard")}</button>`}</p>`}
    </div>
  </li>`;
}

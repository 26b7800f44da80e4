import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { useStore } from "./use.js";

const PATIENCE_MS = 1500; // most losses are over by then
/** @type {Record<number, string>} close codes for which there are words */
const CLOSED = { 4500: "unauthorized", 4503: "kicked", 4505: "banned" };
const LEAST_S = 5; // below, a number would only flicker

/** What there is to know about the connection, and about the page itself. */
export function Bars() {
  const store = useStore();
  const say = store.say.value;
  const { state, code, reason, at = 0, retry_ms = 0 } = store.link.value;
  const isLate = useSignal(false);
  const left = useSignal(0);
  const wasAway = useSignal(false);
  const isAway = state === "connecting" || state === "waiting";

  useEffect(() => {
    if (!isAway) return void (isLate.value = false);
    const timer = setTimeout(() => { isLate.value = true; }, PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isAway]);

  useEffect(() => {
    left.value = 0;
    if (state !== "waiting" || retry_ms < LEAST_S * 1000) return;
    const count = () => { left.value = Math.max(0, Math.ceil((at + retry_ms - Date.now()) / 1000)); };
    count();
    const timer = setInterval(count, 1000);
    return () => clearInterval(timer);
  }, [state, at]);

  const again = () => void store.chat.connect().catch(() => {});
  const isShown = isAway && isLate.value;
  const isRefused = state === "ended";
  const isBadToken = isRefused && store.token.value && (code === 4500 || code === 4005 || reason === "unauthorized");
  const words = isBadToken ? say("state-bad-token")
    : isRefused ? say("state-ended", { why: store.why({ code: CLOSED[code] ?? reason }) })
    : isShown ? say(store.chat.user ? "state-waiting" : "state-connecting")
    : state === "online" && store.isStalled.value ? say("state-stalled")
    : "";
  useEffect(() => { if (words) wasAway.value = true; }, [words]);
  // A reader is told when the state changes; the countdown is for the eyes alone.
  return html`<div class="bars">
    <p class="vh" role="status" aria-live="polite">${words || (wasAway.value && state === "online" ? say("state-online") : "")}</p>
    ${words && html`<div class="bar amber">
      <span aria-hidden="true">${left.value && isShown ? say("state-countdown", { n: left.value }) : words}</span>
      ${isBadToken && html`<button class="link" onClick=${() => store.signIn("")}>${say("as-guest")}</button>`}
      ${isRefused && !isBadToken && html`<button class="link" onClick=${again}>${say("connect-again")}</button>`}
      ${isShown && state === "waiting" && html`<button class="link" onClick=${again}>${say("try-now")}</button>`}
    </div>`}
    ${store.isOld.value && html`<div class="bar indigo" role="status"><span>${say("new-version")}</span>
      <button class="link" onClick=${() => location.reload()}>${say("reload")}</button></div>`}
  </div>`;
}

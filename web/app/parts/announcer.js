import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { isMessage } from "../store/whole.js";
import { useStore } from "./use.js";

const PAUSE_MS = 2000; // a reader that is interrupted all the time reads nothing

/** Reads out what others say in the room that is shown: at most once in two seconds, never what was said before. */
export function Announcer() {
  const store = useStore();
  const words = useSignal("");
  useEffect(() => {
    /** @type {any[]} */
    let waiting = [];
    /** @type {any} */
    let timer = null;
    const tell = () => {
      timer = null;
      if (!waiting.length) return;
      const say = store.say.peek();
      const [message] = waiting;
      const text = waiting.length > 1 ? say("announce-many", { n: waiting.length })
        : say("said", { nick: store.nickOf(message.from), text: String(message.text ?? "").slice(0, 300) });
      words.value = words.peek() === text ? `${text}\u00a0` : text; // the same words twice would be no change
      waiting = [];
      timer = setTimeout(tell, PAUSE_MS);
    };
    const off = store.chat.on("message", (message) => {
      if (!isMessage(message)) return;
      const room = store.current.peek();
      const isNew = room && message.room === room.name && message.seq > (room.handle.info?.seq ?? 0);
      if (!isNew || message.from.id === store.me.peek()?.id) return;
      waiting.push(message);
      timer ??= setTimeout(tell, 100);
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }, []);
  return html`<div class="vh" id="announcer" aria-live="polite">${words.value}</div>`;
}

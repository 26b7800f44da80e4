import { html } from "../html.js";
import { useStore } from "./use.js";

/** Is that really to be deleted? @param {{dialog: any, close: () => void}} props */
export function DeleteDialog({ dialog: { room, seq }, close }) {
  const store = useStore();
  const say = store.say.value;
  const text = String(room.window.view.messages.get(seq)?.text ?? "");
  const go = () => {
    close();
    void store.doing(() => room.handle.delete(seq));
  };
  return html`<blockquote class="snippet" dir="auto">${text.slice(0, 200)}</blockquote>
    <p class="quiet">${say("delete-about")}</p>
    <p class="ends"><button onClick=${close}>${say("cancel")}</button><button class="primary danger" autofocus onClick=${go}>${say("delete")}</button></p>`;
}

import { useSignal } from "@preact/signals";
import { html } from "../html.js";
import { useStore } from "./use.js";

/** Another name. @param {{close: () => void}} props */
export function NickDialog({ close }) {
  const store = useStore();
  const say = store.say.value;
  const problem = useSignal("");
  /** @param {any} event */
  const submit = async (event) => {
    event.preventDefault();
    const nick = event.target.nick.value.trim();
    if (!nick) return;
    problem.value = await store.rename(nick);
    if (!problem.value) close();
  };
  return html`<form onSubmit=${submit}>
    <label><span>${say("name")}</span><input name="nick" autocomplete="nickname" maxlength="64" required autofocus defaultValue=${store.me.value?.nick ?? store.nick.value} aria-describedby="nick-problem" /></label>
    <p class="problem" id="nick-problem" role="alert">${problem.value}</p>
    <p class="ends"><button type="button" onClick=${close}>${say("cancel")}</button><button class="primary" type="submit">${say("save")}</button></p>
  </form>`;
}

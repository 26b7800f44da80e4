import { signal } from "@preact/signals";
import { html } from "../html.js";
import { isComposing } from "../keys.js";
import { later, load } from "../lazy.js";
import { isName } from "../people.js";

const isMember = signal(false); // has an account, or a token
const isBad = signal(false);

/**
 * The first page: who are you?
 * @param {{settings: import("../store/settings.js").Settings, room: string, enter: (nick: string, token: string) => void}} props
 */
export function Door({ settings, room, enter }) {
  const say = settings.say.value;
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const nick = String(form.get("nick") ?? "").trim();
    isBad.value = !!nick && !isName(nick);
    if (isBad.value) /** @type {HTMLElement} */ (document.querySelector("[name=nick]")).focus();
    else if (nick) enter(nick, "");
  };
  /** @param {KeyboardEvent} event Enter belongs to the input method while that is open */
  const guard = (event) => {
    if (event.key === "Enter" && isComposing(event)) event.preventDefault();
  };
  const { SignIn } = later.value ?? {};
  if (isMember.value && SignIn) {
    return html`<main class="door"><div class="letter"><h1>${say("sign-in")}</h1>
      <${SignIn} say=${say} done=${async (/** @type {string} */ token, /** @type {string} */ nick) => { enter(nick, token); return true; }} />
      <p class="foot"><button type="button" class="link" onClick=${() => { isMember.value = false; }}>${say("as-guest")}</button></p></div></main>`;
  }
  return html`<main class="door">
    <form class="letter" onSubmit=${submit} onKeyDown=${guard}>
      <span class="house" aria-hidden="true">話</span>
      <h1>${say("your-name")}</h1>
      <p class="quiet">${say("into-room", { room: `#${room}` })}</p>
      <label><span class="vh">${say("name")}</span>
        <input name="nick" autocomplete="nickname" maxlength="64" required enterkeyhint="go" placeholder=${say("name")} ref=${focus}
          aria-invalid=${isBad.value} aria-describedby="nick-problem" /></label>
      <p class="problem" id="nick-problem" role="alert">${isBad.value ? say("bad-name") : ""}</p>
      <button class="primary" type="submit">${say("enter")}</button>
      <p class="foot">
        <button type="button" class="link" onClick=${() => { isMember.value = true; load().catch(() => { isMember.value = false; }); }}>${say("sign-in")}</button>
        <button type="button" class="link" lang="en" onClick=${() => { settings.wish.value = "en"; }}>English</button>
        <button type="button" class="link" lang="zh-CN" onClick=${() => { settings.wish.value = "zh-CN"; }}>中文</button>
      </p>
    </form>
  </main>`;
}

/** @param {HTMLElement | null} element */
function focus(element) {
  if (element && !element.dataset.seen) {
    element.dataset.seen = "yes";
    element.focus();
  }
}

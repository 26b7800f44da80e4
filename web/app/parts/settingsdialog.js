import { useSignal } from "@preact/signals";
import { html } from "../html.js";
import { written } from "../keys.js";
import { ring } from "../store/sound.js";
import { Check, Select } from "./fields.js";
import { Password, signOutEverywhere } from "./password.js";
import { SignIn } from "./signin.js";
import { useStore } from "./use.js";

const ACCOUNT = "a_"; // so begin the tokens of those who have a password here

/** How one wants to have it. */
export function SettingsDialog() {
  const store = useStore();
  const { settings } = store;
  const say = store.say.value;
  const isRefused = useSignal(false);
  /** @param {boolean} wanted */
  const setDesktop = async (wanted) => {
    const may = wanted && await store.attention.ask();
    isRefused.value = wanted && !may;
    settings.desktop.value = may;
  };
  /** @param {boolean} wanted a sound is heard at once: one knows what one has chosen */
  const setSound = (wanted) => {
    settings.sound.value = wanted;
    if (wanted) ring();
  };
  return html`<fieldset><legend>${say("account")}</legend><${Account} /></fieldset>
    <div class="two">
      <${Select} label=${say("language")} value=${settings.wish.value} set=${(/** @type {string} */ lang) => { settings.wish.value = lang; }}
        options=${[["", say("lang-auto")], ["en", "English"], ["zh-CN", "中文（简体）"]]} />
      <${Select} label=${say("theme")} value=${settings.theme.value} set=${(/** @type {string} */ theme) => { settings.theme.value = theme; }}
        options=${["auto", "light", "dark"].map((one) => [one, say(/** @type {any} */ (`theme-${one}`))])} />
    </div>
    <${Select} label=${say("enter-key")} value=${settings.enter.value} set=${(/** @type {string} */ enter) => { settings.enter.value = enter; }}
      options=${[["enter", say("enter-sends")], ["ctrl", say("enter-breaks", { key: written("Mod+Enter") })]]} />
    <${Check} label=${say("moves")} value=${settings.moves.value} set=${(/** @type {boolean} */ on) => { settings.moves.value = on; }} />
    <fieldset><legend>${say("notifications")}</legend>
      <${Select} label=${say("notify-about")} value=${settings.level.value} set=${(/** @type {any} */ level) => { settings.level.value = level; }}
        options=${["all", "mentions", "none"].map((one) => [one, say(/** @type {any} */ (`notify-${one}`))])} />
      <${Check} label=${say("desktop")} value=${settings.desktop.value} set=${setDesktop} />
      ${isRefused.value && html`<p class="problem" role="alert">${say("desktop-refused")}</p>`}
      <${Check} label=${say("sound")} value=${settings.sound.value} set=${setSound} />
    </fieldset>
    <p class="ends"><button onClick=${() => { store.dialog.value = { name: "keys" }; }}>${say("keys-open")}</button></p>`;
}

/** Who one is here: a guest, or who a token says. */
function Account() {
  const store = useStore();
  const say = store.say.value;
  const isAsking = useSignal(false);
  /** @param {string} token @param {string} nick */
  const done = async (token, nick) => {
    const isGood = await store.signIn(token, nick);
    if (isGood) isAsking.value = false;
    return isGood;
  };
  const isChanging = useSignal(false);
  const hasAccount = store.token.value.startsWith(ACCOUNT);
  const me = store.me.value;
  return html`<p><strong>${me?.nick ?? store.nick.value}</strong>${me?.role && me.role !== "guest" && html` <span class="tag line">${say(/** @type {any} */ (`role-${me.role}`))}</span>`}
      ${" "}<button class="link" onClick=${() => { store.dialog.value = { name: "nick" }; }}>${say("rename")}</button></p>
    <p class="quiet small">${store.token.value ? say("signed-in") : say("guest")}
      ${store.token.value ? html` <button class="link" onClick=${() => store.signIn("")}>${say("sign-out")}</button>${hasAccount && html` <button class="link" onClick=${() => store.doing(() => signOutEverywhere(store))}>${say("sign-out-all")}</button>
        <button class="link" aria-expanded=${isChanging.value} onClick=${() => { isChanging.value = !isChanging.value; }}>${say("change-password")}</button>`}`
      : html` <button class="link" aria-expanded=${isAsking.value} onClick=${() => { isAsking.value = !isAsking.value; }}>${say("sign-in")}</button>`}</p>
    ${isAsking.value && html`<${SignIn} say=${say} done=${done} />`}
    ${isChanging.value && hasAccount && html`<${Password} done=${() => { isChanging.value = false; }} />`}`;
}

import { useSignal } from "@preact/signals";
import { html } from "../html.js";

/**
 * Name and password, or a token; it tells the token that came of it.
 * @param {{say: any, done: (token: string, nick: string) => Promise<boolean>}} props
 */
export function SignIn({ say, done }) {
  const byToken = useSignal(false);
  const problem = useSignal("");
  const isBusy = useSignal(false);
  /** @param {any} event */
  const submit = async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const { token, name, password } = event.target;
    problem.value = "";
    isBusy.value = true;
    try {
      // Without such a field `name` is the form's own.
      const proof = token ? { token: token.value.trim(), nick: "" } : await login(name.value.trim(), password.value);
      if (!await done(proof.token, proof.nick)) problem.value = say("state-bad-token");
    } catch (error) {
      problem.value = say(/** @type {Error} */ (error).message);
    } finally {
      isBusy.value = false;
    }
  };
  return html`<form class="signin" onSubmit=${submit}>
    ${byToken.value
      ? html`<label><span>${say("token")}</span><input name="token" type="password" maxlength="4096" autocomplete="off" spellcheck=${false} required /></label>
        <p class="quiet small">${say("token-about")}</p>`
      : html`<label><span>${say("name")}</span><input name="name" autocomplete="username" maxlength="64" required /></label>
        <label><span>${say("password")}</span><input name="password" type="password" autocomplete="current-password" maxlength="256" required /></label>`}
    <p class="problem" role="alert">${problem.value}</p>
    <p class="ends"><button type="button" class="link" onClick=${() => { byToken.value = !byToken.value; }}>${say(byToken.value ? "have-password" : "have-token")}</button>
      <button class="primary" type="submit" disabled=${isBusy.value}>${say("sign-in")}</button></p>
  </form>`;
}

/** @param {string} name @param {string} password @returns {Promise<{token: string, nick: string}>} */
async function login(name, password) {
  let answer;
  try {
    answer = await fetch("v1/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name, password }) });
  } catch {
    throw new Error("error-offline");
  }
  const { token, user } = await answer.json().catch(() => ({}));
  if (token) return { token, nick: user.nick };
  throw new Error(answer.status === 401 ? "bad-login" : answer.status === 429 ? "many-tries" : "error-internal");
}

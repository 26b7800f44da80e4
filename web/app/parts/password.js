import { useSignal } from "@preact/signals";
import { html } from "../html.js";
import { useStore } from "./use.js";

/** @typedef {import("../store/store.js").Store} Store */

/** What the server says to a password that is wrong, not good enough, or one of too many. @type {Record<number, string>} */
const PROBLEMS = { 400: "weak-password", 401: "bad-password", 429: "many-tries" };

/**
 * Another password for one's account.
 * @param {{done: () => void}} props
 */
export function Password({ done }) {
  const store = useStore();
  const say = store.say.value;
  const problem = useSignal("");
  const isBusy = useSignal(false);
  /** @param {any} event */
  const submit = async (event) => {
    event.preventDefault();
    const { old, fresh } = event.target;
    problem.value = "";
    isBusy.value = true;
    try {
      const { status, answer } = await ask(store, "v1/password", { password: old.value, new: fresh.value });
      if (!answer.token) return void (problem.value = say(/** @type {any} */ (PROBLEMS[status] ?? "error-internal")));
      await store.signIn(answer.token, answer.user.nick);
      store.toast(say("password-changed"));
      done();
    } catch (error) {
      problem.value = store.why(error);
    } finally {
      isBusy.value = false;
    }
  };
  return html`<form class="signin" onSubmit=${submit}>
    <label><span>${say("password")}</span><input name="old" type="password" autocomplete="current-password" maxlength="256" required /></label>
    <label><span>${say("new-password")}</span><input name="fresh" type="password" autocomplete="new-password" minlength="8" maxlength="256" required /></label>
    <p class="problem" role="alert">${problem.value}</p>
    <p class="ends"><button class="primary" type="submit" disabled=${isBusy.value}>${say("change-password")}</button></p>
  </form>`;
}

/** All sessions and tokens of one's account end; here one is a guest again. @param {Store} store */
export async function signOutEverywhere(store) {
  const { status } = await ask(store, "v1/logout", { everywhere: true });
  // 401: it was done elsewhere already.
  if (status !== 200 && status !== 401) throw Object.assign(new Error(), { code: "internal" });
  await store.signIn("");
}

/**
 * @param {Store} store @param {string} address @param {object} body
 * @returns {Promise<{status: number, answer: any}>} rejects as `offline` where there is no connection
 */
async function ask(store, address, body) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${store.token.peek()}` };
  const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })
    .catch(() => { throw Object.assign(new Error(), { code: "offline" }); });
  return { status: answer.status, answer: await answer.json().catch(() => ({})) };
}

import { html } from "../html.js";
import { useStore } from "./use.js";

/** Who is writing; the row is always there, so that nothing moves. */
export function Typing() {
  const store = useStore();
  const say = store.say.value;
  const people = store.current.value?.typing.value ?? [];
  const [a, b] = people.map((person) => store.nickOf(person));
  const text = people.length > 2 ? say("typing-more", { a, n: people.length - 1 })
    : people.length === 2 ? say("typing-two", { a, b }) : people.length ? say("typing-one", { a }) : "";
  return html`<p class="typing" aria-hidden="true">${text && html`<i class="pulse"><i /><i /><i /></i>${text}`}</p>`;
}

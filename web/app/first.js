// Stands in the HTML itself and runs before anything is painted: theme and language as they were chosen, and the
// door, or the frame of the page, which the build has made of the page's own parts. The page goes on with these very
// elements.
import { asked, wanted } from "./address.js";
import * as keep from "./store/keep.js";
import { choose } from "./words.js";

const { documentElement: page } = document;
page.dataset.theme = keep.get("theme") ?? "auto";
page.lang = choose([asked().get("lang") || keep.get("lang"), ...navigator.languages]);

const isKnown = keep.get("nick") || keep.get("token");
const root = element("app");
root.append(/** @type {HTMLTemplateElement} */ (element(isKnown ? "frame" : page.lang)).content);
const where = root.querySelector("p");
if (where && wanted()) where.textContent = /** @type {string} */ (where.textContent).replace(LOBBY, () => `#${wanted()}`);

// Who is faster than the page presses again what was pressed here; without it a form would leave the page.
onclick = (event) => {
  globalThis.pressed = /** @type {Element} */ (event.target).closest("button");
  if (globalThis.pressed) event.preventDefault();
};

// To start takes a slow device long: the door is seen before that. A page in the background is not painted.
const painted = isKnown || new Promise((resolve) => {
  setTimeout(resolve, 300);
  new PerformanceObserver(resolve).observe({ type: "paint", buffered: true });
});
void Promise.resolve(painted).then(() => import(/** @type {HTMLLinkElement} */ (element("main")).href));

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

// What the browser tells: focus, other tabs, midnight, the keyboard on the screen.

export const TOUCH = "(hover: none) and (pointer: coarse)";

/** @param {import("./store/store.js").Store} store */
export function watchSurroundings(store) {
  for (const name of ["focus", "blur"]) addEventListener(name, () => store.look());
  document.addEventListener("visibilitychange", () => store.look());
  watchMidnight(store);
  keepFocus();

  // iOS draws its keyboard over the page; only this tells what is left.
  const { visualViewport } = window;
  const fit = () => document.documentElement.style.setProperty("--height", `${visualViewport?.height ?? innerHeight}px`);
  visualViewport?.addEventListener("resize", () => {
    if (visualViewport.scale === 1) fit(); // enlarged by the reader, the page keeps its size
  });
}

/** Who goes by keys must be somewhere: if what they are on goes away, they go on beside it or where one writes. */
function keepFocus() {
  /** @type {Element | null} */
  let last = null;
  let next = "";
  addEventListener("focusin", ({ target }) => {
    last = /** @type {Element} */ (target);
    // On a telephone the box would bring up the keyboard.
    next = last.closest("li[data-seq]") || matchMedia(TOUCH).matches ? ".scroller" : "#text";
  });
  new MutationObserver(() => {
    if (!last || last.isConnected) return;
    last = null;
    if (document.activeElement === document.body) /** @type {HTMLElement | null} */ (document.querySelector(next))?.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true });
}

/** "Today" is another day then. @param {import("./store/store.js").Store} store */
function watchMidnight(store) {
  const midnight = new Date().setHours(24, 0, 0, 0); // also where a day has 23 hours
  setTimeout(() => {
    store.now.value = Date.now();
    watchMidnight(store);
  }, midnight - Date.now() + 50);
}

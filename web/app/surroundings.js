// What the browser tells: focus, other tabs, midnight, the keyboard on the screen.

/** @param {import("./store/store.js").Store} store */
export function watchSurroundings(store) {
  for (const name of ["focus", "blur"]) addEventListener(name, () => store.look());
  document.addEventListener("visibilitychange", () => store.look());
  watchMidnight(store);

  // iOS draws its keyboard over the page; only this tells what is left.
  const { visualViewport } = window;
  const fit = () => document.documentElement.style.setProperty("--height", `${visualViewport?.height ?? innerHeight}px`);
  if (visualViewport && !CSS.supports("interactive-widget", "resizes-content")) {
    visualViewport.addEventListener("resize", () => {
      if (visualViewport.scale === 1) fit(); // enlarged by the reader, the page keeps its size
    });
  }
}

/** "Today" is another day then. @param {import("./store/store.js").Store} store */
function watchMidnight(store) {
  const midnight = new Date().setHours(24, 0, 0, 0); // also where a day has 23 hours
  setTimeout(() => {
    store.now.value = Date.now();
    watchMidnight(store);
  }, midnight - Date.now() + 50);
}

/** @type {Set<() => void>} */
const due = new Set();
let isScheduled = false;

/**
 * Once before the next picture, however often it is asked for: a thousand messages in a second are sixty changes of
 * the page, not a thousand. A hidden page has no pictures; there a timer does it.
 * @param {() => void} run
 */
export function soon(run) {
  due.add(run);
  if (isScheduled) return;
  isScheduled = true;
  let isDone = false;
  const flush = () => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    isScheduled = false;
    const now = [...due];
    due.clear();
    for (const one of now) one();
  };
  // A page that was hidden just now never gets the frame it asked for.
  const timer = setTimeout(flush, 100);
  if (!document.hidden) requestAnimationFrame(flush);
}

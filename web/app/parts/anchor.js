// The row that is being read stays where it is, whatever comes or goes above it.

/** @typedef {{row: Element, edge: "top" | "bottom", at: number}} Anchor */

/**
 * The first row that is seen, and where it is.
 * @param {HTMLElement} scroller
 * @returns {Anchor | null}
 */
export function anchorOf(scroller) {
  const seen = scroller.getBoundingClientRect();
  for (const row of scroller.querySelectorAll("li[data-seq]")) {
    const rect = row.getBoundingClientRect();
    // Its end is what stays: the first row there is loses its head when what its author said before comes above it.
    const edge = rect.bottom < seen.bottom ? "bottom" : "top";
    if (rect.bottom > seen.top) return { row, edge, at: rect[edge] };
  }
  return null;
}

/** @param {HTMLElement} scroller @param {Anchor} anchor */
export function hold(scroller, { row, edge, at }) {
  if (row.isConnected) scroller.scrollTop += row.getBoundingClientRect()[edge] - at;
}

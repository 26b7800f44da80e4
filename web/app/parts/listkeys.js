import { chord } from "../keys.js";
import { box } from "./box.js";

/**
 * Keys inside the list: from message to message, Enter for what may be done, Escape back to writing.
 * @param {KeyboardEvent} event
 * @param {import("./list.js").List} list
 */
export function onListKey(event, list) {
  const target = /** @type {HTMLElement} */ (event.target);
  const row = target.closest("li[data-seq]");
  const keys = chord(event);
  if (keys === "Escape" && !target.closest(".picker")) {
    event.stopPropagation();
    if (row || target === list.scroller.current) box()?.focus();
    else focusRow(list, list.active.peek());
  } else if (target !== list.scroller.current && target !== row) {
    return; // a link, a button: it has keys of its own
  } else if (keys === "Enter" && row) {
    event.preventDefault();
    list.active.value = Number(row.getAttribute("data-seq"));
    /** @type {HTMLElement | null} */ (list.scroller.current.querySelector(".actions button"))?.focus();
  } else if (keys === "ArrowUp" || keys === "ArrowDown" || keys === "Home" || keys === "End") {
    event.preventDefault();
    const rows = /** @type {HTMLElement[]} */ ([...list.content.current.querySelectorAll("li[data-seq]")]);
    const here = row ? rows.indexOf(/** @type {HTMLElement} */ (row)) : rows.length;
    const to = { ArrowUp: here - 1, ArrowDown: here + 1, Home: 0, End: rows.length - 1 }[keys];
    rows[Math.max(0, Math.min(rows.length - 1, to))]?.focus();
  }
}

/** @param {import("./list.js").List} list @param {number} seq */
function focusRow(list, seq) {
  const row = list.content.current.querySelector(`[data-seq="${seq}"]`);
  if (row) /** @type {HTMLElement} */ (row).focus();
  else box()?.focus();
}

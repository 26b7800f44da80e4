// The one box to write in, reached from anywhere.

/** @returns {HTMLTextAreaElement | null} */
export const box = () => /** @type {HTMLTextAreaElement | null} */ (document.getElementById("text"));

/** Puts something where the caret is, as if it had been typed. @param {string} text @param {number} [from] @param {number} [to] */
export function insert(text, from, to) {
  const target = box();
  if (!target) return;
  target.focus();
  target.setRangeText(text, from ?? target.selectionStart, to ?? target.selectionEnd, "end");
  target.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
}

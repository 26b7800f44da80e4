import assert from "node:assert/strict";
import { test } from "node:test";
import { chord, isComposing, written } from "../app/keys.js";

const press = (key, more = {}) => chord({ key, keyCode: 0, isComposing: false, altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, ...more });

test("keys have one name, whatever the case", () => {
  assert.equal(press("Enter"), "Enter");
  assert.equal(press("K", { ctrlKey: true }), "Mod+k");
  assert.equal(press("F", { ctrlKey: true, shiftKey: true }), "Mod+Shift+f");
  assert.equal(press("ArrowUp", { altKey: true, shiftKey: true }), "Alt+Shift+ArrowUp");
  assert.equal(press("k", { metaKey: true }), "Other+k");
});

test("what belongs to an input method has no name: while it composes, and by key code 229 alone as Safari tells it", () => {
  assert.equal(press("Enter", { isComposing: true, keyCode: 13 }), "");
  assert.equal(press("Enter", { keyCode: 229 }), "");
  assert.ok(isComposing({ keyCode: 229 }) && isComposing({ isComposing: true }) && !isComposing({ keyCode: 13 }));
});

test("chords are written as they stand on the keyboard", () => {
  assert.equal(written("Mod+Shift+f"), "Ctrl Shift F");
  assert.equal(written("Alt+ArrowUp"), "Alt ↑");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST, Window } from "../app/store/window.js";

const say = (seq) => ({ type: "message", seq, ts: seq, from: { id: "u_1", nick: "Ann" }, text: `m${seq}`, rev: 0 });
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => say(from + index));
const ends = (window) => [window.first, window.last, window.size];

test("at the end, new messages push the oldest ones out", () => {
  const window = new Window();
  window.start(range(1, MOST), { hasOlder: false });
  window.apply(say(MOST + 1), "u_2", true);
  assert.deepEqual(ends(window), [2, MOST + 1, MOST]);
  assert.ok(window.isLive && window.hasOlder);
});

test("while somebody reads further up nothing is taken away; the end is left instead", () => {
  const window = new Window();
  window.start(range(1, MOST));
  window.apply(say(MOST + 1), "u_2", false);
  assert.deepEqual(ends(window), [1, MOST, MOST]);
  assert.ok(!window.isLive);
  window.apply(say(MOST + 2), "u_2", true);
  assert.deepEqual(ends(window), [1, MOST, MOST]);
});

test("older ones push the newest out, newer ones the oldest; there and back nothing is lost or doubled", () => {
  const window = new Window();
  window.start(range(901, 1200));
  window.prepend(range(851, 900), true);
  assert.deepEqual(ends(window), [851, 1150, MOST]);
  assert.ok(!window.isLive);
  window.append(range(1151, 1200), false);
  assert.deepEqual(ends(window), [901, 1200, MOST]);
  assert.ok(window.isLive && window.hasOlder);
  assert.deepEqual(window.messages.map((one) => one.seq), range(901, 1200).map((one) => one.seq));
});

test("a change of a message that is shown is shown, wherever the window is", () => {
  const window = new Window();
  window.start(range(1, 10), { isLive: false });
  window.apply({ type: "edit", seq: 400, ref: 3, by: "u_1", text: "better", rev: 1 }, "u_2", false);
  window.apply({ type: "delete", seq: 401, ref: 4, by: "u_1" }, "u_2", false);
  window.apply({ type: "react", seq: 402, ref: 5, emoji: "👍", by: "u_2", on: true, n: 1 }, "u_2", false);
  const [, , edited, deleted, liked] = window.messages;
  assert.deepEqual([edited.text, edited.edited, deleted.deleted, deleted.text], ["better", true, true, undefined]);
  assert.deepEqual(liked.reactions, { "👍": { n: 1, me: true } });
});

test("what did not survive on the server is dropped", () => {
  const window = new Window();
  window.start(range(1, 10));
  assert.ok(window.truncate(7));
  assert.deepEqual(ends(window), [1, 7, 7]);
  window.apply({ type: "edit", seq: 8, ref: 3, by: "u_1", text: "better", rev: 1 }, "u_2", true);
  assert.ok(!window.truncate(7), "the edit is gone, and nobody knows what was there before");
});

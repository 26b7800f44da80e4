import assert from "node:assert/strict";
import { test } from "node:test";
import { GROUP_MS, rows } from "../app/timeline.js";

const NOON = new Date(2026, 10, 20, 12).getTime();
const say = (seq, ts, id = "u_1") => ({ seq, ts, from: { id, nick: id } });
const shape = (found) => found.map((row) => {
  if (row.kind === "message") return `${row.isFirst ? "+" : "-"}${row.message.seq}`;
  return row.kind === "moves" ? `${row.came.join()}/${row.left.join()}` : row.kind;
});
const move = (type, id, after) => ({ type, ts: NOON, user: { id, nick: id }, after });

test("messages of one author within five minutes of each other are a group", () => {
  const messages = [say(1, NOON), say(2, NOON + GROUP_MS - 1000), say(3, NOON + 2 * GROUP_MS), say(4, NOON + 2 * GROUP_MS, "u_2")];
  assert.deepEqual(shape(rows(messages)), ["day", "+1", "-2", "+3", "+4"]);
});

test("what someone does stands alone", () => {
  assert.deepEqual(shape(rows([say(1, NOON), { ...say(2, NOON), action: true }, say(3, NOON)])), ["day", "+1", "+2", "+3"]);
});

test("a day begins at the reader's midnight, and a group with it", () => {
  const midnight = new Date(2026, 10, 21).getTime();
  assert.deepEqual(shape(rows([say(1, midnight - 1000), say(2, midnight), say(3, midnight + 1)])), ["day", "+1", "day", "+2", "-3"]);
});

test("days are calendar days also where the clock is changed", () => {
  const hours = Array.from({ length: 72 }, (_, hour) => say(hour + 1, new Date(2026, 9, 31).getTime() + hour * 3_600_000));
  const days = rows(hours).filter((row) => row.kind === "day");
  const expected = new Set(hours.map(({ ts }) => new Date(ts).toDateString()));
  assert.equal(days.length, expected.size);
});

test("the unread rule stands once, before the first message that had not been read", () => {
  const messages = [say(1, NOON), say(2, NOON), say(4, NOON), say(5, NOON)];
  assert.deepEqual(shape(rows(messages, { read: 3 })), ["day", "+1", "-2", "unread", "+4", "-5"]);
  assert.deepEqual(shape(rows(messages, { read: 5 })), ["day", "+1", "-2", "-4", "-5"]);
  assert.deepEqual(shape(rows(messages, { read: 0 })).indexOf("unread"), 1);
});

test("those who came and went between two messages are one row; who did both is none", () => {
  const moves = [move("enter", "a", 1), move("leave", "b", 1), move("enter", "c", 1), move("leave", "c", 1), move("enter", "d", 2)];
  assert.deepEqual(shape(rows([say(1, NOON), say(2, NOON)], { notes: moves })), ["day", "+1", "a/b", "+2", "d/"]);
  assert.deepEqual(shape(rows([say(1, NOON), say(2, NOON)], { notes: moves.slice(2, 4) })), ["day", "+1", "-2"]);
});

test("every row has a key of its own", () => {
  const keys = rows([say(1, NOON), say(2, NOON + 90_000_000)], { read: 1 }).map((row) => row.key);
  assert.equal(new Set(keys).size, keys.length);
});

test("what else happened stands where it happened, and what happened outside of what is shown does not", () => {
  const topic = { type: "mod", ts: NOON, after: 1 };
  assert.deepEqual(shape(rows([say(1, NOON), say(3, NOON)], { notes: [topic] })), ["day", "+1", "note", "+3"]);
  assert.deepEqual(shape(rows([say(3, NOON), say(4, NOON)], { notes: [topic] })), ["day", "+3", "-4"]);
  const last = move("enter", "a", 4);
  assert.deepEqual(shape(rows([say(3, NOON), say(4, NOON)], { notes: [last], isLive: false })), ["day", "+3", "-4"]);
  assert.deepEqual(shape(rows([], { notes: [last] })), ["a/"]);
});

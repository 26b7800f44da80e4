import assert from "node:assert/strict";
import { test } from "node:test";
import { View, message, messages, settled, world } from "./fakes.js";

test("a room's handlers hear that room, until they do not want to", async () => {
  const it = world();
  const tea = await it.inTea();
  const heard = [];
  const off = tea.on("message", (event) => heard.push(event.seq));
  it.chat.room("hall").on("message", () => heard.push("hall"));
  it.chat.on("message", (event) => heard.push(`chat ${event.seq}`));
  await it.give(message(1));
  off();
  await it.give(message(2));
  assert.deepEqual(heard, [1, "chat 1", "chat 2"]);
});

test("a handler may do anything: what it causes is told after what was told before", async () => {
  const it = world();
  const tea = await it.inTea();
  tea.on("message", () => it.chat.disconnect());
  await it.give(message(1), message(2));
  await settled();
  assert.deepEqual(it.types().slice(-2), ["message", "state"]);
  assert.equal(it.chat.state, "idle");
});

test("a handler that throws is reported as the platform reports it, and the others hear theirs", async (t) => {
  const it = world();
  const tea = await it.inTea();
  const reported = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => reported.push(error.message));
  t.after(() => {
    process.removeAllListeners("uncaughtException");
    for (const one of before) process.on("uncaughtException", one);
  });
  const heard = [];
  tea.on("message", () => { throw new Error("mine"); });
  tea.on("message", (event) => heard.push(event.seq));
  await it.give(message(1), message(2));
  assert.deepEqual(heard, [1, 2]);
  assert.deepEqual(reported, ["mine", "mine"]);
});

test("for await gives a room's events and ends when the chat does", async () => {
  const it = world();
  const tea = await it.inTea();
  const heard = [];
  const reading = (async () => {
    for await (const event of tea) heard.push(event.seq ?? event.type);
  })();
  await settled();
  await it.give(message(1), message(2));
  await it.give(message(3));
  it.chat.disconnect();
  await reading;
  assert.deepEqual(heard, [1, 2, 3, "state"]);
});

test("for await ends with the room, and a break ends the listening", async () => {
  const it = world();
  const tea = await it.inTea();
  const heard = [];
  const reading = (async () => {
    for await (const event of tea) heard.push(event.type);
  })();
  const once = (async () => {
    for await (const event of it.chat) return event.type;
  })();
  await settled();
  await it.give({ type: "mod", room: "tea", seq: 1, ts: 1, action: "kick", by: "u_0", user: { id: "u_1", nick: "" } });
  await reading;
  assert.deepEqual(heard, ["mod", "lost"]);
  assert.equal(await once, "mod");
});

test("a reader that is a thousand events behind is told so", async () => {
  const it = world();
  const tea = await it.inTea();
  const events = tea[Symbol.asyncIterator]();
  const first = events.next();
  await settled();
  await it.give(message(1));
  assert.equal((await first).value.seq, 1);
  for (let seq = 2; seq <= 1002; seq += 1) it.socket.onmessage({ data: JSON.stringify(message(seq)) });
  await settled();
  await assert.rejects(events.next(), { code: "overflow" });
});

test("messages are folded into their final form, and a changed one is another object", async () => {
  const it = world();
  const tea = await it.inTea();
  const event = (type, seq, more) => ({ type, room: "tea", seq, ts: seq, ref: 1, by: "u_2", ...more });
  await it.give(message(1, { reply: 9, mentions: ["u_1"], cid: "c" }));
  const [first] = tea.messages;
  assert.deepEqual(first, { ...messages(1, 1)[0], reply: 9, mentions: ["u_1"] });
  await it.give(event("react", 2, { emoji: "👍", on: true, n: 1 }), event("react", 3, { emoji: "👍", on: true, n: 2, by: "u_1" }));
  assert.deepEqual(tea.messages[0].reactions, { "👍": { n: 2, me: true } });
  await it.give(event("react", 4, { emoji: "👍", on: false, n: 1, by: "u_1" }));
  assert.deepEqual(tea.messages[0].reactions, { "👍": { n: 1, me: false } });
  await it.give(event("react", 5, { emoji: "👍", on: false, n: 0 }));
  assert.equal("reactions" in tea.messages[0], false);
  await it.give(event("edit", 6, { text: "better", rev: 1 }));
  assert.deepEqual([tea.messages[0].text, tea.messages[0].rev, tea.messages[0].edited], ["better", 1, true]);
  await it.give(event("delete", 7));
  assert.deepEqual(tea.messages[0], { seq: 1, ts: 1000, from: first.from, rev: 1, edited: true, deleted: true, reply: 9 });
  await it.give(event("react", 8, { emoji: "👍", on: true, n: 1 }), event("edit", 9, { rev: 2, deleted: true }));
  assert.equal(tea.messages[0].text, undefined);
  assert.equal(tea.messages[0].reactions, undefined);
  assert.equal(first.text, "text 1");
});

test("a replay shows what was deleted as deleted", () => {
  const view = new View();
  view.apply(message(1, { text: undefined, deleted: true }), "u_1");
  assert.deepEqual([...view.messages.values()], [{ seq: 1, ts: 1000, from: { id: "u_2", nick: "Bob" }, rev: 0, deleted: true }]);
});

test("a view keeps a thousand messages", () => {
  const view = new View();
  for (let seq = 1; seq <= 1005; seq += 1) view.apply(message(seq), "u_1");
  assert.deepEqual([view.messages.size, view.messages.has(5), view.messages.has(6)], [1000, false, true]);
});

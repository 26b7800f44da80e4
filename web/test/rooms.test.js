import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, message, messages, world } from "./fakes.js";

const seqs = (room) => room.messages.map((one) => one.seq);
const entries = (it) => it.told.filter((event) => event.seq && event.ts).map((event) => event.seq);
const edit = (seq, ref, more = {}) => ({ type: "edit", room: "tea", seq, ts: seq, ref, by: "u_2", text: "new", rev: 1, ...more });

/** Back after a loss, with this answer for tea. */
async function back(it, tea) {
  await it.close(1006);
  await it.clock.pass(20_000);
  await it.online({}, { tea });
}

test("a join begins with the last messages", async () => {
  const it = world();
  const tea = await it.inTea(3);
  assert.deepEqual(seqs(tea), [1, 2, 3]);
  assert.ok(tea.joined);
  assert.deepEqual(tea.position, { epoch: "e", seq: 3 });
  const told = it.told.find((event) => event.type === "joined" && event.room === "tea");
  assert.deepEqual([told.reset, told.reason], [true, ""]);
});

test("events are told once, in order; older ones are ignored", async () => {
  const it = world();
  const tea = await it.inTea(1);
  await it.give(message(2), message(2), message(1), message(3));
  assert.deepEqual(entries(it), [2, 3]);
  assert.deepEqual(seqs(tea), [1, 2, 3]);
});

test("a gap is asked for with since, once, and nothing behind it is told before", async () => {
  const it = world();
  await it.inTea(1);
  await it.give(message(3), message(4));
  assert.deepEqual(entries(it), []);
  assert.equal(it.sent("join").length, 2);
  assert.deepEqual(it.last("join").since, { epoch: "e", seq: 1 });
  await it.admit({ seq: 4, events: [message(2), message(3), message(4)] });
  await it.give(message(5));
  assert.deepEqual(entries(it), [2, 3, 4, 5]);
  assert.equal(it.sent("join").length, 2);
});

test("a batch is taken one by one, with all that follows of each", async () => {
  const it = world();
  const tea = await it.inTea(1);
  const count = { type: "count", room: "tea", n: 5012 };
  await it.give({ type: "batch", events: [message(2), count, message(4)] });
  assert.deepEqual(entries(it), [2]);
  assert.ok(it.told.some((event) => event.type === "count" && event.n === 5012));
  assert.deepEqual(it.last("join").since, { epoch: "e", seq: 2 });
  await it.admit({ seq: 4, events: [message(3), message(4)] });
  await it.give({ type: "batch", events: [message(4), message(5)] });
  assert.deepEqual(entries(it), [2, 3, 4, 5]);
  assert.deepEqual(seqs(tea), [1, 2, 3, 4, 5]);
  assert.ok(it.last("hello").caps.includes("batch"));
});

test("a number we may not see counts, and so does a type nobody knows", async () => {
  const it = world();
  const tea = await it.inTea();
  await it.give({ type: "skip", room: "tea", seq: 1 }, { type: "waltz", room: "tea", seq: 2, ts: 2 }, message(3));
  assert.deepEqual(entries(it), [2, 3]);
  assert.deepEqual(seqs(tea), [3]);
  assert.equal(it.sent("join").length, 1);
});

test("tops that we lack make us join again, once each", async () => {
  const it = world();
  await it.inTea(1);
  const ping = (tea) => ({ type: "ping", t: 1, tops: { tea, elsewhere: 9 } });
  await it.give(ping(1));
  assert.equal(it.sent("join").length, 1);
  await it.give(ping(2), ping(2));
  assert.deepEqual(it.last("join").since, { epoch: "e", seq: 1 });
  await it.admit({ seq: 1 }); // not for us to see, says the server
  await it.give(ping(2));
  assert.equal(it.sent("join").length, 2);
  await it.give(ping(3));
  assert.equal(it.sent("join").length, 3);
});

test("after a loss hello names our positions, and what we missed follows", async () => {
  const it = world();
  const tea = await it.inTea(2);
  await back(it, joined("tea", { epoch: "f", seq: 4, was_recovering: true, recovered: true, events: [message(3), message(4)] }));
  assert.deepEqual(it.last("hello").rooms, { "@me": { epoch: "m", seq: 0 }, tea: { epoch: "e", seq: 2 } });
  assert.deepEqual(seqs(tea), [1, 2, 3, 4]);
  assert.deepEqual(tea.position, { epoch: "f", seq: 4 });
  assert.deepEqual(it.sent("join"), []);
  assert.equal(it.told.findLast((event) => event.type === "joined" && event.room === "tea").reset, false);
});

test("a position that is not known any more starts the room over", async () => {
  for (const reason of ["epoch", "ahead", "gone", "too_many"]) {
    const it = world();
    const tea = await it.inTea(2);
    await back(it, joined("tea", { epoch: "f", seq: 9, was_recovering: true, reason, state: messages(8, 9) }));
    assert.deepEqual(seqs(tea), [8, 9]);
    const told = it.told.findLast((event) => event.type === "joined" && event.room === "tea");
    assert.deepEqual([told.reset, told.reason], [true, reason]);
    await it.give(message(10));
    assert.deepEqual(seqs(tea), [8, 9, 10]);
  }
});

const cut = { epoch: "f", was_recovering: true, reason: "truncated", valid: 2, seq: 3, events: [message(3, { text: "other" })] };

test("truncated: what is above the last valid number is dropped, and what came instead is told", async () => {
  const it = world();
  const tea = await it.inTea(4);
  await back(it, joined("tea", cut));
  assert.deepEqual(tea.messages.map((one) => one.text), ["text 1", "text 2", "other"]);
  assert.deepEqual(it.told.filter((event) => event.type === "truncate"), [{ type: "truncate", room: "tea", after: 2 }]);
  assert.deepEqual(it.sent("join"), []);
});

test("truncated, and a lost edit, deletion or reaction had changed a message we keep: the room starts over", async () => {
  const changes = [
    edit(5, 1),
    { type: "delete", room: "tea", seq: 5, ts: 5, ref: 1, by: "u_2" },
    { type: "react", room: "tea", seq: 5, ts: 5, ref: 1, by: "u_2", emoji: "👍", on: true, n: 1 },
  ];
  for (const change of changes) {
    const it = world();
    const tea = await it.inTea(4);
    await it.give(change);
    await back(it, joined("tea", cut));
    assert.equal(it.sent("join").length, 1, change.type);
    assert.equal(it.last("join").since, undefined);
    await it.admit({ epoch: "f", seq: 3, state: messages(1, 3) });
    assert.deepEqual(tea.messages, messages(1, 3));
    assert.equal(it.told.findLast((event) => event.type === "joined").reset, true);
  }
});

test("live truncation: the same, and numbers that come again are new ones", async () => {
  const it = world();
  const tea = await it.inTea(4);
  await it.give({ type: "truncate", room: "tea", after: 2, epoch: "f", seq: 2 }, message(3, { text: "other" }));
  assert.deepEqual(tea.messages.map((one) => one.text), ["text 1", "text 2", "other"]);
  assert.deepEqual(tea.position, { epoch: "f", seq: 3 });
  await it.give(edit(4, 1), { type: "truncate", room: "tea", after: 3, epoch: "g", seq: 3 });
  assert.equal(it.last("join").since, undefined);
  const none = world();
  await none.inTea(4);
  await none.give({ type: "truncate", room: "tea", after: null, epoch: "f", seq: 0 });
  assert.deepEqual(none.chat.room("tea").position, { epoch: "f", seq: 0 });
});

test("a new epoch is stored", async () => {
  const it = world();
  const tea = await it.inTea(1);
  await it.give({ type: "epoch", room: "tea", epoch: "f" });
  assert.deepEqual(tea.position, { epoch: "f", seq: 1 });
});

test("lag: what was not sent is fetched, page after page", async () => {
  const it = world();
  await it.inTea(1);
  await it.give({ type: "lag", room: "tea", from: 2, to: 5, epoch: "e" }, message(6));
  assert.equal(it.sent("events").length, 1);
  const { id: first, after } = it.last("events");
  assert.equal(after, 1);
  await it.give({ type: "ok", id: first, epoch: "e", seq: 6, more: true, events: [message(2), message(3)] });
  const { id: second } = it.last("events");
  await it.give({ type: "ok", id: second, epoch: "e", seq: 6, more: false, events: [message(4), message(5), message(6)] });
  assert.deepEqual(entries(it), [2, 3, 4, 5, 6]);
  assert.equal(it.sent("join").length, 1);
});

test("a fetch that brings nothing, or another epoch, ends in a join", async () => {
  for (const reply of [{ epoch: "e", seq: 5, events: [] }, { epoch: "x", seq: 5, events: [message(2)] }]) {
    const it = world();
    await it.inTea(1);
    await it.give({ type: "lag", room: "tea", from: 2, to: 5, epoch: "e" });
    await it.give({ type: "ok", id: it.last("events").id, more: false, ...reply });
    assert.deepEqual(entries(it), []);
    assert.deepEqual(it.last("join").since, { epoch: "e", seq: 1 });
  }
});

test("an answer that does not lead to its own top starts the room over", async () => {
  const it = world();
  await it.inTea(1);
  await it.give(message(3));
  await it.admit({ seq: 3, events: [message(3)] });
  assert.equal(it.last("join").since, undefined);
});

test("a join that is refused for good rejects and is told; others are not touched", async () => {
  const it = world();
  await it.inTea();
  const joining = it.chat.room("cellar").join();
  await it.give({ type: "error", id: it.last("join").id, code: "forbidden", message: "no", temporary: false });
  await assert.rejects(joining, { code: "forbidden", message: "no" });
  assert.deepEqual(it.told.at(-1), { type: "lost", room: "cellar", code: "forbidden", message: "no" });
  assert.deepEqual(it.chat.rooms.map((room) => room.name), ["tea"]);
});

test("kicked and banned we do not go back", async () => {
  for (const [action, code] of [["kick", "kicked"], ["ban", "banned"]]) {
    const it = world();
    await it.inTea();
    const mod = (seq, user) => ({ type: "mod", room: "tea", seq, ts: seq, action, by: "u_0", user: { id: user, nick: "" } });
    await it.give(mod(1, "u_2"), mod(2, "u_1"));
    assert.deepEqual(it.types().slice(-3), ["mod", "mod", "lost"]);
    assert.equal(it.told.at(-1).code, code);
    await it.close(1006);
    await it.clock.pass(1_000);
    await it.open();
    assert.deepEqual(Object.keys(it.last("hello").rooms), ["@me"]);
  }
});

test("when who may be in a room changes we ask whether we may: at once if it is about us, else within five seconds", async () => {
  const it = world();
  await it.inTea(0);
  const mod = (seq, action, user) => ({ type: "mod", room: "tea", seq, ts: seq, action, by: "u_0", user });
  const joins = () => it.sent("join").length;
  const before = joins();
  await it.give(mod(1, "role", { id: "u_2", nick: "Bob" }), mod(2, "slow"));
  await it.clock.pass(10_000);
  assert.equal(joins(), before);
  await it.give(mod(3, "private"));
  await it.clock.pass(2_499);
  assert.equal(joins(), before, "all others ask too, and not at this moment");
  await it.clock.pass(1);
  assert.equal(joins(), before + 1);
  await it.admit({ seq: 3, recovered: true, events: [] });
  await it.give(mod(4, "role", { id: "u_1", nick: "Ann" }));
  await it.clock.pass(0);
  assert.equal(joins(), before + 2);
  await it.give({ type: "error", id: it.last("join").id, code: "forbidden", message: "no", temporary: false });
  assert.deepEqual(it.told.at(-1), { type: "lost", room: "tea", code: "forbidden", message: "no" });
});

test("a room we left is not joined again, even if hello had named it already", async () => {
  const it = world();
  const tea = await it.inTea(1);
  await it.close(1006);
  await it.clock.pass(1_000);
  await it.open();
  await tea.part();
  await it.welcome();
  assert.equal(it.last("part").room, "tea");
  assert.deepEqual(it.chat.rooms, []);
});

test("a direct conversation has one name for both, whoever calls it what and when", async () => {
  const it = world();
  const dm = it.chat.dm("u_2");
  const before = dm.join();
  const said = dm.send("psst");
  await it.online();
  assert.equal(dm.name, "dm:u_1:u_2");
  const { id, room } = it.last("join");
  assert.equal(room, "@u_2");
  await it.give({ type: "ok", id, ...joined("dm:u_1:u_2") });
  assert.equal((await before).room, "dm:u_1:u_2");
  assert.equal(it.last("message").room, "dm:u_1:u_2");
  await it.give({ type: "ok", id: it.last("message").id, room: "dm:u_1:u_2", seq: 1, ts: 1, dup: false });
  await said;
  const heard = [];
  dm.on("message", (event) => heard.push(event.seq));
  await it.give(message(1, { room: "dm:u_1:u_2" }));
  assert.deepEqual(heard, [1]);
  assert.equal(it.chat.room("dm:u_1:u_2").messages.length, 1);
});

test("the first word said to somebody makes us join the conversation", async () => {
  const it = world();
  await it.online();
  it.chat.dm("u_2").send("psst");
  await it.give(message(1, { room: "dm:u_1:u_2", from: { id: "u_1", nick: "Ann" } }));
  assert.equal(it.last("join").room, "dm:u_1:u_2");
});

test("what does not last is told as it is", async () => {
  const it = world();
  await it.inTea();
  const frames = [
    { type: "enter", room: "tea", user: { id: "u_2", nick: "Bob" }, n: 2 },
    { type: "typing", room: "tea", user: { id: "u_2", nick: "Bob" }, on: true },
    { type: "read", room: "tea", seq: 4, unread: 0, mentions: 0 },
    { type: "presence", user: { id: "u_2", nick: "Bob" }, status: "away", conns: 1 },
    { type: "something", room: "tea", else: true },
  ];
  await it.give(...frames);
  assert.deepEqual(it.told.slice(-5), frames);
});

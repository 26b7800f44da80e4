import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatError, settled, world } from "./fakes.js";

const ok = (frame, seq, dup = false) => ({ type: "ok", id: frame.id, room: frame.room, seq, ts: seq, dup });

test("a message is sent with a cid and its promise keeps the receipt", async () => {
  const it = world();
  const tea = await it.inTea();
  const sending = tea.send("hi", { reply: 3, cid: "mine" });
  assert.deepEqual(it.last("message"), { type: "message", id: "mine", cid: "mine", room: "tea", text: "hi", reply: 3 });
  assert.deepEqual(it.chat.unsent, [{ room: "tea", cid: "mine", text: "hi", reply: 3 }]);
  await it.give(ok(it.last("message"), 1));
  const { type: _, id: __, ...receipt } = await sending;
  assert.deepEqual(receipt, { room: "tea", cid: "mine", seq: 1, ts: 1, dup: false });
  assert.deepEqual(it.chat.unsent, []);
});

test("of each room one message is under way, so none overtakes another", async () => {
  const it = world();
  const tea = await it.inTea();
  it.chat.room("hall").join();
  await it.admit();
  const sendings = [tea.send("1"), tea.send("2"), it.chat.room("hall").send("3")];
  assert.deepEqual(it.sent("message").map((frame) => frame.text), ["1", "3"]);
  await it.give(ok(it.sent("message")[0], 1));
  assert.deepEqual(it.sent("message").map((frame) => frame.text), ["1", "3", "2"]);
  await it.give(ok(it.sent("message")[1], 1), ok(it.sent("message")[2], 2));
  assert.deepEqual((await Promise.all(sendings)).map((receipt) => receipt.seq), [1, 2, 1]);
});

test("what has no answer when the connection ends is sent again under the same cid, in order", async () => {
  const it = world();
  const tea = await it.inTea();
  const sendings = [tea.send("1"), tea.send("2")];
  const { cid } = it.last("message");
  await it.close(1006);
  sendings.push(tea.send("3"));
  await it.clock.pass(1_000);
  await it.online();
  assert.equal(it.last("message").cid, cid);
  for (const seq of [1, 2, 3]) await it.give(ok(it.last("message"), seq, seq === 1));
  assert.deepEqual((await Promise.all(sendings)).map((receipt) => [receipt.seq, receipt.dup]), [
    [1, true], [2, false], [3, false],
  ]);
  assert.deepEqual(it.sent("message").map((frame) => frame.text), ["1", "2", "3"]);
});

test("refused for a moment it waits as long as it was told, and the next ones behind it", async () => {
  const it = world();
  const tea = await it.inTea();
  tea.send("1");
  tea.send("2");
  const refusal = { type: "error", id: it.last("message").id, code: "rate_limited", temporary: true, retry_ms: 1300 };
  await it.give(refusal);
  await it.clock.pass(1_299);
  assert.equal(it.sent("message").length, 1);
  await it.clock.pass(1);
  assert.deepEqual(it.sent("message").map((frame) => frame.text), ["1", "1"]);
});

test("refused for good its promise rejects with the wire's code, and the next one goes", async () => {
  const it = world();
  const tea = await it.inTea();
  const rejected = assert.rejects(tea.send("1"), (error) => {
    assert.ok(error instanceof ChatError && error instanceof Error);
    assert.deepEqual([error.code, error.message, error.temporary], ["muted", "quiet", false]);
    return true;
  });
  tea.send("2");
  await it.give({ type: "error", id: it.last("message").id, code: "muted", message: "quiet", temporary: false });
  await rejected;
  assert.equal(it.last("message").text, "2");
});

test("a message waits until we are in its room again, also when the way in takes two attempts", async () => {
  const it = world();
  await it.online();
  const tea = it.chat.room("tea");
  tea.join();
  tea.send("hello");
  const { id } = it.last("join");
  await it.give({ type: "error", id, code: "busy", message: "", temporary: true, retry_ms: 500 });
  await it.clock.pass(500);
  assert.deepEqual(it.sent("message"), []);
  assert.equal(it.sent("join").length, 2);
  await it.admit();
  assert.equal(it.last("message").text, "hello");
});

test("what is said before the first connection is said when it is there", async () => {
  const it = world();
  const tea = it.chat.room("tea");
  tea.join();
  tea.send("early");
  await it.online();
  await it.admit();
  assert.equal(it.last("message").text, "early");
});

test("the 201st waiting message is refused, and a cid that is on its way already", async () => {
  const it = world();
  const tea = it.chat.room("tea");
  for (let n = 0; n < 200; n += 1) tea.send("x", { cid: `c${n}` });
  await assert.rejects(tea.send("x"), { code: "outbox_full", temporary: true });
  assert.equal(it.chat.unsent.length, 200);
  const other = world().chat.room("tea");
  other.send("x", { cid: "c" });
  await assert.rejects(other.send("x", { cid: "c" }), { code: "cid_conflict" });
});

test("cids do not repeat, and the server takes them", async () => {
  const it = world();
  for (let n = 0; n < 200; n += 1) it.chat.room("tea").send("x");
  const cids = it.chat.unsent.map((letter) => letter.cid);
  assert.equal(new Set(cids).size, 200);
  assert.ok(cids.every((cid) => /^[a-z0-9.-]{1,64}$/.test(cid)));
});

test("when it is all over, those who wait are told", async () => {
  const it = world();
  const tea = await it.inTea();
  const waits = [tea.send("1"), tea.send("2"), it.chat.room("hall").join(), tea.history()];
  const told = Promise.allSettled(waits);
  await it.close(4505);
  assert.deepEqual((await told).map((one) => one.reason.code), ["closed", "closed", "closed", "lost"]);
});

test("a request without a connection fails at once, one that was under way is lost", async () => {
  const it = world();
  const tea = await it.inTea();
  const asked = tea.history({ before: 7, limit: 20 });
  assert.deepEqual({ ...it.last("history"), id: 0 }, { type: "history", id: 0, room: "tea", before: 7, limit: 20 });
  const told = assert.rejects(asked, { code: "lost", temporary: true });
  await it.close(1006);
  await told;
  await assert.rejects(tea.history(), { code: "offline", temporary: true });
});

test("typing is told once in three seconds, its end once", async () => {
  const it = world();
  const tea = await it.inTea();
  tea.typing(false);
  for (let n = 0; n < 31; n += 1) {
    tea.typing();
    await it.clock.pass(100);
  }
  tea.typing(false);
  tea.typing(false);
  tea.typing(); // on second thoughts: too soon to be told again, and so is its end
  tea.typing(false);
  await settled();
  assert.deepEqual(it.sent("typing").map((frame) => frame.on), [true, true, false]);
});

test("what no server would take is refused at once and holds up nothing", async () => {
  const it = world();
  const tea = await it.inTea();
  const circle = {};
  circle.self = circle;
  await assert.rejects(tea.send("x".repeat(20_001)), { code: "too_large" });
  await assert.rejects(tea.send("x", { cid: "k".repeat(65) }), { code: "too_large" });
  await assert.rejects(tea.send("x", { meta: circle }), TypeError);
  assert.equal(it.chat.unsent.length, 0);
  tea.send("next");
  assert.equal(it.last("message").text, "next");
});

test("what was never sent can be taken back, what was sent cannot: it may be there", async () => {
  const it = world();
  const tea = await it.inTea();
  const first = tea.send("1", { cid: "one" });
  const second = tea.send("2", { cid: "two" });
  tea.send("3", { cid: "three" });
  assert.deepEqual(["one", "two", "two", "nobody's"].map((cid) => it.chat.withdraw(cid)), [false, true, false, false]);
  await assert.rejects(second, (error) => error instanceof ChatError && error.code === "withdrawn");
  await it.close(1006);
  assert.equal(it.chat.withdraw("one"), false);
  await it.clock.pass(1_000);
  await it.online();
  await it.give(ok(it.last("message"), 1, true));
  assert.equal((await first).seq, 1);
  assert.deepEqual(it.sent("message").map((frame) => frame.text), ["1", "3"]);
});

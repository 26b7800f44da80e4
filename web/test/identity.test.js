import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, world } from "./fakes.js";

const keeper = (kept = {}) => ({ kept, get: (name) => kept[name], set: (name, value) => { kept[name] = value; } });

test("hello says who we are, and what it gives is kept for the next time", async () => {
  const storage = keeper();
  const it = await world({ nick: "Ann", lang: "zh-CN", storage }).online({ guest_token: "g_1" });
  const { id: _id, ...hello } = it.last("hello");
  assert.deepEqual(hello, {
    type: "hello", v: 1, nick: "Ann", lang: "zh-CN", client: "chatservice.js", caps: ["batch", "members"], rooms: {},
  });
  assert.deepEqual(storage.kept, { session: "sess_1", guest_token: "g_1" });
  const again = world({ storage });
  again.chat.connect();
  await again.open();
  assert.equal(again.last("hello").token, "g_1");
  assert.equal(again.last("hello").resume, "sess_1");
});

test("a guest's bad token is forgotten and we come back once as somebody new", async () => {
  const storage = keeper({ guest_token: "g_old", session: "sess_old" });
  const it = world({ storage });
  it.chat.connect();
  await it.open();
  await it.close(4500);
  assert.equal(it.chat.state, "waiting");
  await it.clock.pass(1_000);
  await it.open();
  assert.equal(it.last("hello").token, undefined);
  assert.equal(it.last("hello").resume, undefined);
  storage.kept.guest_token = "g_other"; // another tab's
  await it.close(4500);
  assert.equal(it.chat.state, "ended");
});

test("a token of one's own that is refused ends it, also when a guest's is kept", async () => {
  const it = world({ token: "mine", storage: keeper({ guest_token: "g" }) });
  it.chat.connect();
  await it.open();
  assert.equal(it.last("hello").token, "mine");
  await it.close(4500);
  assert.equal(it.chat.state, "ended");
});

test("an expired token: a fixed one ends it, a guest's is dropped, a function is asked for another", async () => {
  const fixed = world({ token: "mine" });
  fixed.chat.connect();
  await fixed.open();
  await fixed.close(4005);
  assert.equal(fixed.chat.state, "ended");

  const storage = keeper({ guest_token: "g" });
  const guest = world({ storage });
  guest.chat.connect();
  await guest.open();
  await guest.close(4005);
  assert.equal(guest.chat.state, "waiting");
  assert.equal(storage.kept.guest_token, null);

  let number = 0;
  const asked = world({ token: async () => `token ${++number}` });
  asked.chat.connect();
  await settled();
  await asked.open();
  await asked.close(4005);
  await asked.clock.pass(1_000);
  await asked.open();
  assert.equal(asked.last("hello").token, "token 2");
});

test("a token function that fails is a failed attempt", async () => {
  const it = world({ token: () => { throw new Error("no network"); } });
  it.chat.connect();
  await settled();
  assert.equal(it.chat.state, "waiting");
  assert.equal(it.told.at(-1).reason, "token");
  assert.equal(it.sockets.length, 0);
});

test("a nick that is taken: we come in without it, and say so", async () => {
  const it = world({ nick: "Ann" });
  it.chat.connect();
  await it.open();
  await it.give({ type: "error", id: it.last("hello").id, code: "nick_taken", message: "…", temporary: false });
  assert.equal(it.sent("hello").length, 2);
  assert.equal(it.last("hello").nick, undefined);
  await it.welcome({ user: { id: "u_1", nick: "user7" } });
  assert.equal(it.chat.user.nick, "user7");
  assert.deepEqual(it.told.filter((event) => event.type === "nick_taken"), [{ type: "nick_taken", nick: "Ann" }]);
});

test("a hello refused for a moment is tried again when told, refused for good it is over", async () => {
  const it = world();
  it.chat.connect();
  await it.open();
  await it.give({ type: "error", id: it.last("hello").id, code: "busy", temporary: true, retry_ms: 700 });
  assert.equal(it.told.at(-1).retry_ms, 700);
  await it.clock.pass(700);
  await it.open();
  await it.give({ type: "error", id: it.last("hello").id, code: "bad_request", temporary: false });
  assert.equal(it.told.at(-1).reason, "bad_request");
  assert.equal(it.chat.state, "ended");
});

test("a new nick of ours is the one we come back with", async () => {
  const it = await world({ nick: "Ann" }).online();
  await it.give({ type: "nick", room: "tea", user: { id: "u_1", nick: "Anne" }, was: "Ann" });
  assert.equal(it.chat.user.nick, "Anne");
  await it.close(1006);
  await it.clock.pass(1_000);
  await it.open();
  assert.equal(it.last("hello").nick, "Anne");
});

test("come back as somebody else, what may have been sent is not sent again and rooms start over", async () => {
  const it = world();
  const tea = await it.inTea(2);
  const doubtful = tea.send("sent");
  const waits = tea.send("not sent yet");
  doubtful.catch(() => {});
  await it.close(1006);
  await it.clock.pass(1_000);
  await it.online({ user: { id: "u_9", nick: "x" } });
  await assert.rejects(doubtful, { code: "lost" });
  assert.equal(it.last("join").since, undefined);
  assert.deepEqual(it.sent("message"), []); // not before we are in
  await it.admit({ seq: 2 });
  assert.equal(it.last("message").text, "not sent yet");
  await it.give({ type: "ok", id: it.last("message").id, room: "tea", seq: 3, ts: 1, dup: false });
  assert.equal((await waits).seq, 3);
});

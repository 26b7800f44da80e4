import assert from "node:assert/strict";
import { test } from "node:test";
import { ChatClient, ChatError, settled, world } from "./fakes.js";

const wait = (it) => it.told.findLast((event) => event.type === "state" && event.state === "waiting").retry_ms;

test("the address may be that of a page, and the subprotocol says what we speak", () => {
  const it = world({}, "https://chat.test/office/v1");
  it.chat.connect();
  assert.equal(it.socket.address, "wss://chat.test/office/v1");
  assert.equal(it.socket.protocol, "chat.v1");
});

test("without a WebSocket it says at once how to give one", { skip: typeof WebSocket === "function" }, () => {
  assert.throws(() => new ChatClient("ws://chat.test/v1"), /\{WebSocket\}/);
});

test("an address no connection can be made to ends it, and does not throw out of a timer", async () => {
  const it = world({ WebSocket: class { constructor() { throw new SyntaxError("bad address"); } } });
  await assert.rejects(it.chat.connect(), /bad address/);
  assert.equal(it.chat.state, "ended");
});

test("waits lie between 300 ms and 300 ms + min(20 s, 500 ms * 2^n)", async () => {
  for (const draw of [0, 0.999]) {
    const it = world();
    it.clock.draw = draw;
    it.chat.connect();
    for (let n = 0; n < 9; n += 1) {
      await it.close(1006);
      assert.equal(wait(it), 300 + draw * Math.min(20_000, 500 * 2 ** n));
      await it.clock.pass(wait(it));
      assert.equal(it.sockets.length, n + 2);
    }
  }
});

test("n begins anew after 10 s up, not before", async () => {
  const it = world();
  it.chat.connect();
  await it.close(1006);
  await it.clock.pass(20_000);
  await it.online();
  await it.clock.pass(9_999);
  await it.close(1006);
  assert.equal(wait(it), 300 + 0.5 * 1000);
  await it.clock.pass(20_000);
  await it.online();
  await it.clock.pass(10_000);
  await it.close(1006);
  assert.equal(wait(it), 300 + 0.5 * 500);
});

test("when the server says when to come back, that is when", async () => {
  const it = await world().online();
  await it.give({ type: "bye", code: "shutdown", reconnect: true, after_ms: 3170 });
  await it.close(4001);
  assert.equal(wait(it), 3170);
  await it.clock.pass(3169);
  assert.equal(it.sockets.length, 1);
  await it.clock.pass(1);
  assert.equal(it.sockets.length, 2);
});

test("connect() while waiting tries at once, and the old timer opens no second connection", async () => {
  const it = await world().online();
  await it.close(1006);
  it.chat.connect();
  assert.equal(it.sockets.length, 2);
  await it.clock.pass(19_000);
  assert.equal(it.sockets.length, 2);
});

test("codes from 4500 to 4999 and a bye without return end it", async () => {
  for (const code of [4500, 4501, 4503, 4999]) {
    const it = await world({ token: "mine" }).online();
    await it.close(code);
    assert.equal(it.chat.state, "ended");
    await it.clock.pass(100_000);
    assert.equal(it.sockets.length, 1);
    assert.equal(it.told.at(-1).code, code);
  }
  const it = await world().online();
  await it.give({ type: "bye", code: "banned", reconnect: false });
  assert.equal(it.told.at(-1).reason, "banned");
  for (const code of [1000, 1006, 1011, 4001, 4008, 4499, 5000]) {
    const other = await world().online();
    await other.close(code);
    assert.equal(other.chat.state, "waiting", String(code));
  }
});

test("no frame for ping_ms + pong_ms and the connection is dead; any frame is a sign of life", async () => {
  const it = await world().online();
  await it.clock.pass(34_999);
  await it.give({ type: "whatever" });
  await it.clock.pass(34_999);
  assert.equal(it.chat.state, "online");
  await it.clock.pass(1);
  assert.equal(it.told.at(-1).reason, "silent");
  assert.equal(it.socket.readyState, 3);
});

test("a connection that never opens is given up after 20 s, a hello without an answer after 35 s", async () => {
  const it = world();
  it.chat.connect();
  await it.clock.pass(20_000);
  assert.equal(it.chat.state, "waiting");
  await it.clock.pass(1_000);
  await it.open();
  await it.clock.pass(34_999);
  assert.equal(it.chat.state, "connecting");
  await it.clock.pass(1);
  assert.equal(it.chat.state, "waiting");
});

test("what a given-up connection still brings counts for nothing", async () => {
  const it = await world().online();
  const [old] = it.sockets;
  await it.clock.pass(35_000 + 20_000);
  await it.online();
  old.onmessage({ data: '{"type":"bye","code":"x","reconnect":false}' });
  old.onclose({ code: 4505 });
  await settled();
  assert.equal(it.chat.state, "online");
});

test("a ping is answered", async () => {
  const it = await world().online();
  await it.give({ type: "ping", t: 77, tops: {} });
  assert.deepEqual(it.last("pong"), { type: "pong", t: 77 });
});

test("a frame that is none ends the connection, not the chat", async () => {
  for (const bad of ["{", "null", '{"type":"ping","t":1}', '{"type":"message","room":7,"seq":1,"ts":1}']) {
    const it = await world().online();
    await it.give(bad);
    assert.equal(it.chat.state, "waiting", bad);
  }
});

test("connect() resolves with who we are, and rejects when it is over or called off", async () => {
  const it = world();
  const user = it.chat.connect();
  await it.online();
  assert.equal((await user).id, "u_1");
  assert.equal((await it.chat.connect()).id, "u_1");
  const off = world();
  const never = off.chat.connect();
  off.chat.disconnect();
  await assert.rejects(never, (error) => error instanceof ChatError && error.code === "stopped");
  assert.equal(off.chat.state, "idle");
});

test("disconnect() and connect() again go on where they were", async () => {
  const it = world();
  const tea = await it.inTea(3);
  it.chat.disconnect();
  await it.clock.pass(60_000);
  assert.equal(it.sockets.length, 1);
  const said = tea.send("later");
  it.chat.connect();
  await it.online();
  assert.deepEqual(it.last("hello").rooms.tea, { epoch: "e", seq: 3 });
  assert.equal(it.last("message").text, "later");
  await it.give({ type: "ok", id: it.last("message").id, room: "tea", seq: 4, ts: 1, dup: false });
  assert.equal((await said).seq, 4);
});

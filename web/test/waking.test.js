import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { browserStorage, world } from "./fakes.js";

const OURS = ["document", "addEventListener", "localStorage", "sessionStorage"];
const before = Object.fromEntries(OURS.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
let page;

const put = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

beforeEach(() => {
  page = new EventTarget();
  put("document", Object.assign(new EventTarget(), { hidden: false, baseURI: "https://chat.test/office/" }));
  put("addEventListener", page.addEventListener.bind(page));
});

afterEach(() => {
  for (const name of OURS) {
    if (before[name]) Object.defineProperty(globalThis, name, before[name]);
    else delete globalThis[name];
  }
});

const show = () => document.dispatchEvent(new Event("visibilitychange"));
const told = (type, persisted) => page.dispatchEvent(Object.assign(new Event(type), { persisted }));

test("on a page the address may be relative", () => {
  const it = world({}, "v1");
  it.chat.connect();
  assert.equal(it.socket.address, "wss://chat.test/office/v1");
});

test("a tab that is shown again asks whether the connection lives; an answer in two seconds, or it comes back", async () => {
  const it = await world().online();
  show();
  assert.equal(typeof it.last("pong").id, "number");
  await it.clock.pass(1_999);
  await it.give({ type: "ok", id: it.last("pong").id });
  await it.clock.pass(10_000);
  assert.equal(it.chat.state, "online");
  show();
  await it.clock.pass(2_000);
  assert.equal(it.chat.state, "waiting");
  assert.equal(it.told.at(-1).reason, "silent");
});

test("a tab that is hidden asks nothing", async () => {
  const it = await world().online();
  document.hidden = true;
  show();
  assert.equal(it.last("pong"), undefined);
});

test("when the network is back the next attempt comes within a second, not at once for all", async () => {
  const it = world();
  it.clock.draw = 0.999;
  it.chat.connect();
  for (let n = 0; n < 7; n += 1) {
    await it.close(1006);
    if (n < 6) await it.clock.pass(21_000);
  }
  const { length } = it.sockets;
  told("online");
  await it.clock.pass(998);
  assert.equal(it.sockets.length, length);
  await it.clock.pass(1);
  assert.equal(it.sockets.length, length + 1);
});

test("a wait that the server asked for is kept", async () => {
  const it = await world().online();
  await it.give({ type: "bye", code: "shutdown", reconnect: true, after_ms: 9_000 });
  await it.close(4001);
  told("online");
  show();
  await it.clock.pass(8_999);
  assert.equal(it.sockets.length, 1);
});

test("a page put aside lets go of its connection, and is back at once when it is shown", async () => {
  const it = await world().online();
  told("pagehide", false);
  assert.equal(it.chat.state, "online");
  told("pagehide", true);
  assert.equal(it.socket.readyState, 3);
  told("pageshow", true);
  assert.equal(it.sockets.length, 2);
  const idle = world();
  told("pagehide", true);
  told("pageshow", true);
  assert.equal(idle.sockets.length, 0);
});

test("who one is lives in all tabs, the session in this one; where storage is forbidden, in memory", () => {
  const store = () => {
    const kept = new Map();
    return { kept, getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) };
  };
  put("localStorage", store());
  put("sessionStorage", store());
  const storage = browserStorage("shop");
  storage.set("guest_token", "g");
  storage.set("session", "s");
  assert.deepEqual([...localStorage.kept, ...sessionStorage.kept], [["shop.guest_token", "g"], ["shop.session", "s"]]);
  storage.set("guest_token", null);
  assert.equal(storage.get("guest_token"), null);
  assert.equal(localStorage.kept.size, 0);
  Object.defineProperty(globalThis, "localStorage", { get() { throw new Error("forbidden"); }, configurable: true });
  storage.set("guest_token", "h");
  assert.equal(storage.get("guest_token"), "h");
});

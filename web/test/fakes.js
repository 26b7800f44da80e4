// A clock that is turned by hand, sockets without a network, and a server that says what the test wants.
import { pathToFileURL } from "node:url";

// The same tests hold for the source and for the file that was built from it.
const built = process.env.CHAT_CLIENT;
export const { ChatClient, ChatError, View, browserStorage } = /** @type {typeof import("../client/index.js")} */ (
  await import(built ? pathToFileURL(built).href : "../client/index.js")
);

export class FakeClock {
  #timers = new Map();
  #ids = 0;
  time = 0;
  draw = 0.5;
  now = () => this.time;
  random = () => this.draw;
  setTimeout = (run, ms) => {
    this.#timers.set(++this.#ids, { run, at: this.time + ms });
    return this.#ids;
  };
  clearTimeout = (id) => this.#timers.delete(id);

  /** All that is due within `ms`, in its order, with the microtasks in between. */
  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      await settled();
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next[0]);
      this.time = Math.max(this.time, next[1].at);
      next[1].run();
    }
    this.time = end;
  }
}

/** Everything that waits in the queue of microtasks has run. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A world with one client in it. */
export function world(options = {}, url = "ws://chat.test/v1") {
  const clock = new FakeClock();
  const sockets = [];
  class FakeWebSocket {
    readyState = 0;
    sent = [];
    constructor(address, protocol) {
      Object.assign(this, { address, protocol });
      sockets.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {
      this.readyState = 3;
    }
  }
  const chat = new ChatClient(url, { WebSocket: FakeWebSocket, clock, ...options });
  const told = [];
  chat.on("*", (event) => told.push(event));
  return new World(chat, clock, sockets, told);
}

const RESULT = { read: 0, unread: 0, mentions: 0, n: 1, you: { role: "guest", can: ["write"] } };

class World {
  constructor(chat, clock, sockets, told) {
    Object.assign(this, { chat, clock, sockets, told });
  }

  get socket() {
    return this.sockets.at(-1);
  }

  /** The commands of the newest connection, those of one type, and which of them nobody has looked at. */
  sent(type) {
    return this.socket.sent.filter((frame) => frame.type === type);
  }

  /** The newest command of a type. */
  last(type) {
    return this.sent(type).at(-1);
  }

  types() {
    return this.told.map((event) => event.type);
  }

  async give(...frames) {
    for (const frame of frames) this.socket.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    await settled();
  }

  async open() {
    this.socket.readyState = 1;
    this.socket.onopen();
    await settled();
  }

  async close(code) {
    this.socket.readyState = 3;
    this.socket.onclose({ code });
    await settled();
  }

  /** Hello is answered; the rooms it named resume without having missed anything unless told otherwise. */
  async welcome(more = {}, rooms = {}) {
    const { id, rooms: asked } = this.last("hello");
    const same = Object.entries(asked).map(([name, since]) => [name, joined(name, { ...since, recovered: true })]);
    await this.give({
      type: "ok", id, v: 1, session: "sess_1", user: { id: "u_1", nick: "Ann" }, ping_ms: 25_000, pong_ms: 10_000,
      rooms: { "@me": joined("@me", { epoch: "m", seq: 0 }), ...Object.fromEntries(same), ...rooms }, ...more,
    });
  }

  async online(more, rooms) {
    if (this.chat.state === "idle") this.chat.connect();
    await this.open();
    await this.welcome(more, rooms);
    return this;
  }

  /** The newest join is answered. */
  async admit(more = {}) {
    const { id, room, since } = this.last("join");
    await this.give({ type: "ok", id, ...joined(room, { ...since, recovered: !!since, ...more }) });
  }

  /** In `tea` with the messages 1 to `n`. */
  async inTea(n = 0) {
    await this.online();
    const joining = this.chat.room("tea").join();
    await this.admit({ epoch: "e", seq: n, state: messages(1, n) });
    await joining;
    return this.chat.room("tea");
  }
}

/** The answer to a join. */
export const joined = (room, more = {}) => ({
  room, epoch: "e", seq: 0, was_recovering: false, recovered: false, events: [], state: [], ...RESULT, ...more,
});

export const message = (seq, more = {}) => ({
  type: "message", room: "tea", seq, ts: seq * 1000, from: { id: "u_2", nick: "Bob" }, text: `text ${seq}`, ...more,
});

/** Messages in their final form. */
export const messages = (from, to) => {
  const all = [];
  for (let seq = from; seq <= to; seq += 1) {
    const { type: _type, room: _room, ...rest } = message(seq);
    all.push({ ...rest, rev: 0 });
  }
  return all;
};

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds
 * @property {(run: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => number} random from 0 up to, but not including, 1
 */

const CONNECT_MS = 20_000; // a name server and a TLS handshake on a bad line take ten
const SILENCE_MS = 35_000; // until hello tells ping_ms and pong_ms
const STABLE_MS = 10_000; // a connection that lasted so long proves that the server is well
const PROBE_MS = 2_000; // after sleep: nothing heard for so long, and the connection is dead
const LEAST_MS = 300;
const FIRST_MS = 500;
const MOST_MS = 20_000;

/** One connection after the other: is there one, is it alive, when is the next attempt. */
export class Link {
  /** @type {import("./client.d.ts").State} */
  state = "idle";
  reason = "";
  /** @type {number | undefined} the close code that came last */
  code = undefined;
  /** failed attempts since it was well */
  attempt = 0;
  /** @type {number | undefined} how long we wait, while waiting */
  retry_ms = undefined;
  /** @type {any} */
  #socket = null;
  /** @type {any} */
  #timer = null;
  /** @type {number | null} */
  #upAt = null;
  /** @type {number | null} what the server said about when it wants us back */
  #toldToWait = null;
  #deadline = 0;
  #silence = SILENCE_MS;

  /** @param {() => any} dial makes a WebSocket @param {import("./core.js").Core} core is told what happens */
  constructor(dial, core) {
    this.dial = dial;
    this.core = core;
    this.clock = core.clock;
  }

  /** Connect now, unless we are or do. */
  open() {
    if (this.state === "connecting" || this.state === "online") return;
    this.#toldToWait = null;
    this.clock.clearTimeout(this.#timer);
    this.#set("connecting");
    const attempt = this.#socket = {}; // nothing else may have begun when the promise is kept
    const go = () => this.#socket === attempt && this.#open();
    const preparing = this.core.prepare();
    if (preparing) preparing.then(go, () => this.#socket === attempt && this.lose("token"));
    else go();
  }

  #open() {
    let socket = this.#socket;
    try {
      socket = this.#socket = this.dial();
    } catch (error) {
      return this.core.end(String(error)); // an address no attempt can make better
    }
    const isOurs = () => this.#socket === socket;
    this.#expect(CONNECT_MS);
    socket.onopen = () => {
      if (!isOurs()) return;
      this.#expect(this.#silence);
      this.core.opened();
    };
    socket.onmessage = (/** @type {{data: string}} */ { data }) => {
      if (!isOurs()) return;
      this.#deadline = this.clock.now() + this.#silence;
      this.core.heard(data);
    };
    socket.onclose = (/** @type {{code: number}} */ { code }) => isOurs() && this.core.closed(code);
    socket.onerror = () => {}; // a close follows; without this Node's `ws` would throw
  }

  /** @param {import("./errors.js").Frame} frame */
  send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  /** @param {number} silence hello was answered; a connection that is silent for so long is dead */
  up(silence) {
    this.#silence = silence;
    this.#upAt = this.clock.now();
    this.#expect(silence);
    this.#set("online");
  }

  /** @param {number} ms */
  comeBackAfter(ms) {
    this.#toldToWait = ms;
  }

  /** No connection; try again later. @param {string} reason @param {number} [code] */
  lose(reason, code) {
    const { clock } = this;
    if (this.#upAt !== null && clock.now() - this.#upAt >= STABLE_MS) this.attempt = 0;
    const drawn = LEAST_MS + clock.random() * Math.min(MOST_MS, FIRST_MS * 2 ** this.attempt);
    const wait = this.#toldToWait ?? drawn;
    this.attempt += 1;
    this.#drop(code);
    this.#set("waiting", reason, wait);
    this.#timer = clock.setTimeout(() => this.open(), wait);
  }

  /** No more attempts. @param {"idle" | "ended"} state @param {string} reason @param {number} [code] */
  end(state, reason, code) {
    this.attempt = 0;
    this.#toldToWait = null;
    this.#drop(code);
    this.#set(state, reason);
  }

  /** The network may be back, the machine may have slept: look now, but not all at the same moment. */
  wake() {
    const { clock } = this;
    if (this.state === "waiting" && this.#toldToWait === null) {
      clock.clearTimeout(this.#timer);
      this.#timer = clock.setTimeout(() => this.open(), Math.min(this.retry_ms ?? 0, clock.random() * 1000));
    } else if (this.state === "online") {
      this.#expect(PROBE_MS);
      this.core.probe();
    }
  }

  /** @param {number | undefined} code */
  #drop(code) {
    const socket = this.#socket;
    this.code = code;
    this.#socket = this.#upAt = null;
    this.clock.clearTimeout(this.#timer);
    socket?.close?.(); // what it still brings is not ours any more
    this.core.lost();
  }

  /** @param {number} ms something must be heard within this time */
  #expect(ms) {
    this.#deadline = this.clock.now() + ms;
    this.#watch(ms);
  }

  // One timer; frames only move the deadline.
  /** @param {number} ms */
  #watch(ms) {
    this.clock.clearTimeout(this.#timer);
    this.#timer = this.clock.setTimeout(() => {
      const left = this.#deadline - this.clock.now();
      if (left > 0) this.#watch(left);
      else this.lose("silent");
    }, ms);
  }

  /** @param {Link["state"]} state @param {string} [reason] @param {number} [retry_ms] */
  #set(state, reason = "", retry_ms) {
    this.state = state;
    this.reason = reason;
    this.retry_ms = retry_ms;
    this.core.changed();
  }
}

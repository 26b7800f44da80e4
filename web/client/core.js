import { ChatError } from "./errors.js";
import { Emitter } from "./emitter.js";
import { Identity } from "./identity.js";
import { Link } from "./link.js";
import { Outbox } from "./outbox.js";
import { Rooms } from "./rooms.js";

/** @typedef {import("./errors.js").Frame} Frame */
/** @typedef {(reply: any) => void} Done */
/** @typedef {(error: ChatError) => void} Failed */

const POSITION_LOST = 4010;
export const RETRY_MS = 1000; // after a refusal for a moment that does not say how long it is

/** What is said on the wire: commands and their answers, pings, goodbyes. */
export class Core extends Emitter {
  outbox = new Outbox();
  rooms = new Rooms(this);
  /** @type {Map<string, number>} when we told that we type, by room */
  typed = new Map();
  /** @type {Map<unknown, [Done, Failed]>} */
  #asked = new Map();
  #lastId = 0;
  #life = 0; // how many connections there were

  /** @param {() => any} dial @param {import("./surroundings.js").Settings} settings */
  constructor(dial, settings) {
    super();
    this.clock = settings.clock;
    this.identity = new Identity(this, settings);
    this.link = new Link(dial, this);
  }

  get isOnline() {
    return this.link.state === "online";
  }

  // --- outwards ---

  /** @param {string} type @param {Frame} members those of undefined are not sent */
  send(type, members) {
    this.link.send({ type, ...members });
  }

  /** @param {string} type @param {Frame | undefined} members @param {Done} done @param {Failed} failed */
  command(type, members, done, failed) {
    const id = ++this.#lastId;
    this.#asked.set(id, [done, failed]);
    this.send(type, { id, ...members });
  }

  /** @param {string} type @param {Frame} [members] @returns {Promise<any>} */
  ask(type, members) {
    return new Promise((done, failed) => {
      if (this.isOnline) this.command(type, members, done, failed);
      else failed(new ChatError("offline", "offline", true));
    });
  }

  /** Send what waits to be said. */
  post() {
    if (!this.isOnline) return;
    for (const { cid, room, members } of this.outbox.take(this.clock.now(), (name) => this.rooms.address(name))) {
      this.send("message", { id: cid, room, cid, ...members });
    }
  }

  /** A word that nobody else makes: a message is sent again under the same one, also after a restart. */
  newCid() {
    const { clock } = this;
    const parts = [clock.now(), ++this.#lastId, clock.random(), clock.random()];
    return parts.map((part) => part.toString(36).slice(-12)).join("-");
  }

  /** @param {number} ms @param {() => void} run unless the connection is another one by then */
  later(ms, run) {
    const life = this.#life;
    this.clock.setTimeout(() => { if (life === this.#life) run(); }, ms);
  }

  // --- what the link tells ---

  prepare() {
    return this.identity.prepare();
  }

  opened() {
    this.identity.hello();
  }

  /** @param {string} text */
  heard(text) {
    try {
      this.#take(JSON.parse(text));
    } catch (error) {
      // It may have been applied in part: start over everywhere.
      this.rooms.forget();
      this.link.lose(`bad frame: ${error}`);
    }
    this.post();
  }

  probe() {
    this.ask("pong").catch(() => {});
  }

  /** @param {number} [code] */
  closed(code) {
    if (this.identity.isOver(code)) return this.end("closed", code);
    if (code === POSITION_LOST) this.rooms.forget();
    this.link.lose("closed", code);
  }

  /** No connection any more, whoever ended it. */
  lost() {
    const error = new ChatError("lost", "lost", true);
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const [, failed] of asked) failed(error);
    this.#life += 1;
    this.typed.clear();
    this.outbox.lost();
    this.rooms.lost();
  }

  changed() {
    const { state, reason, code, attempt, retry_ms } = this.link;
    this.tell({ type: "state", state, reason, code, attempt, retry_ms, user: this.identity.user });
  }

  /** Come back no more. @param {string} reason @param {number} [code] */
  end(reason, code) {
    const error = new ChatError(reason);
    this.link.end("ended", reason, code);
    this.outbox.fail(error);
    this.rooms.fail(error);
  }

  // --- inwards ---

  /** @param {Frame} frame */
  #take(frame) {
    const { type, id } = frame;
    if (id !== undefined) {
      this.#answer(id, frame);
    } else if (type === "batch") {
      for (const event of frame.events) this.#take(event);
    } else if (type === "ping") {
      this.send("pong", { t: frame.t });
      this.rooms.lookAt(frame.tops);
    } else if (type === "bye") {
      if (!frame.reconnect) return this.end(frame.code);
      this.link.comeBackAfter(frame.after_ms);
    } else {
      if (type === "nick") this.identity.renamed(frame.user);
      if (frame.room) this.rooms.heard(frame);
      else this.tell(frame);
    }
  }

  /** @param {unknown} id @param {Frame} frame */
  #answer(id, frame) {
    const { letters } = this.outbox;
    const letter = letters.get(/** @type {string} */ (id));
    const [done, failed] = letter ? [letter.resolve, letter.reject] : this.#asked.get(id) ?? [];
    if (letter && frame.temporary) {
      const wait = frame.retry_ms ?? RETRY_MS;
      letter.underWay = false;
      letter.due = this.clock.now() + wait;
      return this.later(wait, () => this.post());
    }
    this.#asked.delete(id);
    letters.delete(/** @type {string} */ (id));
    if (frame.type === "error") failed?.(new ChatError(frame.code, frame.message, frame.temporary, frame.retry_ms));
    else done?.(frame);
  }
}

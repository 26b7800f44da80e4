import { Core } from "./core.js";
import { stream } from "./emitter.js";
import { ChatError } from "./errors.js";
import { listenToBrowser, settle } from "./surroundings.js";
import { Room, isEnd } from "./room.js";

/** @typedef {import("./errors.js").Frame} Frame */

/** One person's place in a chat, whatever happens to the connections below it. */
export class ChatClient {
  #core;

  /** @param {string} [url] @param {import("./client.d.ts").Options} [options] */
  constructor(url = "v1", options = {}) {
    const settings = settle(options);
    const address = new URL(url, settings.base);
    address.protocol = address.protocol.replace("http", "ws");
    this.#core = new Core(() => new settings.WebSocket(address.href, "chat.v1"), settings);
    listenToBrowser(this.#core.link);
  }

  get state() {
    return this.#core.link.state;
  }

  get user() {
    return this.#core.identity.user;
  }

  get info() {
    return this.#core.identity.info;
  }

  get rooms() {
    return [...this.#core.rooms.places.keys()].filter((name) => name !== "@me").map((name) => this.room(name));
  }

  /** @returns {import("./client.d.ts").Letter[]} */
  get unsent() {
    return [...this.#core.outbox.letters.values()].map(({ room, cid, members }) => (
      /** @type {import("./client.d.ts").Letter} */ ({ room, cid, ...members })
    ));
  }

  /** @param {string} cid @returns {boolean} false if it may be there already, or is not ours */
  withdraw(cid) {
    return this.#core.outbox.fail(new ChatError("withdrawn"), (letter) => letter.cid === cid && !letter.wasSent);
  }

  /** @param {string} type @param {import("./emitter.js").Handler} handler */
  on(type, handler) {
    return this.#core.on(type, handler);
  }

  [Symbol.asyncIterator]() {
    return stream((type, handler) => this.on(type, handler), isEnd);
  }

  connect() {
    const online = new Promise((resolve, reject) => {
      if (this.state === "online") return resolve(this.user);
      const off = this.on("state", ({ state, reason, user }) => {
        if (state === "online") resolve(user);
        else if (state === "ended" || state === "idle") reject(new ChatError(reason));
        else return;
        off();
      });
    });
    online.catch(() => {}); // told as `state` too: nobody has to wait for it
    this.#core.link.open();
    return online;
  }

  disconnect() {
    if (this.state !== "idle") this.#core.link.end("idle", "stopped");
  }

  /** @param {string} name */
  room(name) {
    return new Room(this.#core, name);
  }

  /** @param {string} user */
  dm(user) {
    return this.room(`@${user}`);
  }

  async dms() {
    /** @type {Map<string, any>} */
    const found = new Map();
    for (let after = 0, more = true; more;) {
      const page = await this.ask("events", { room: "@me", after, limit: 500 });
      for (const event of page.events) if (event.type === "dm") found.set(event.dm, { room: event.dm, with: event.with });
      after = page.events.at(-1)?.seq;
      more = page.more && after !== undefined;
    }
    return [...found.values()];
  }

  list() {
    return this.ask("rooms").then((reply) => reply.rooms);
  }

  /** @param {string} q @param {Frame} [page] */
  search(q, page) {
    return this.ask("search", { q, ...page });
  }

  /** @param {string} status @param {string} [text] */
  status(status, text) {
    return this.ask("status", { status, text });
  }

  /** @param {string} nick */
  rename(nick) {
    return this.ask("nick", { nick });
  }

  /** @param {string} type @param {Frame} [members] @returns {Promise<any>} */
  ask(type, members) {
    return this.#core.ask(type, members);
  }
}

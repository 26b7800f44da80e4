import { RETRY_MS } from "./core.js";
import { ChatError } from "./errors.js";

/** @typedef {import("./errors.js").Frame} Frame */

const BAD_TOKEN = 4500;
const TOKEN_EXPIRED = 4005;

/** Who one is, and how one says so. */
export class Identity {
  /** @type {any} */
  user = undefined;
  /** @type {Frame} what hello was answered */
  info = {};
  /** @type {string | undefined} */
  #token = undefined;
  #cameAnew = false; // as a new guest, since the old one's token was refused

  /** @param {import("./core.js").Core} core @param {import("./surroundings.js").Settings} settings */
  constructor(core, settings) {
    this.core = core;
    this.settings = settings;
    this.nick = settings.nick;
  }

  /** What must be known before a connection is opened. */
  prepare() {
    const { token } = this.settings;
    if (typeof token === "function") return Promise.resolve().then(token).then((given) => { this.#token = given; });
    this.#token = token;
  }

  hello(nick = this.nick) {
    const { lang, client, storage } = this.settings;
    this.core.command("hello", {
      v: 1,
      token: this.#token ?? storage.get("guest_token") ?? undefined,
      nick: nick || undefined,
      lang,
      client,
      caps: ["batch", "members"],
      resume: storage.get("session") ?? undefined,
      rooms: this.core.rooms.atHello(),
    }, (reply) => this.#welcome(reply), (error) => this.#refused(error));
  }

  /** @param {import("./client.d.ts").User} user */
  renamed(user) {
    if (user.id !== this.user?.id) return;
    this.user = { ...this.user, ...user };
    this.nick = user.nick;
  }

  /**
   * Whether there is no point in coming back after that close code.
   * @param {number} [code]
   */
  isOver(code = 1006) {
    const { storage, token } = this.settings;
    if (code !== TOKEN_EXPIRED && code !== BAD_TOKEN) return code >= 4500 && code < 5000;
    if (this.#token || !storage.get("guest_token") || this.#cameAnew) {
      return code === BAD_TOKEN || typeof token === "string"; // that one stays expired; a function may give another
    }
    this.#cameAnew = true;
    storage.set("guest_token", null);
    storage.set("session", null);
    return false;
  }

  /** @param {ChatError} error */
  #refused({ code, temporary, retry_ms = RETRY_MS }) {
    const { core, nick } = this;
    // Whoever ended the connection knows why; after a token that is no good the server ends it, and its code says more.
    if (["lost", "unauthorized", "token_expired"].includes(code)) return;
    if (code === "nick_taken" && nick) {
      core.tell({ type: "nick_taken", nick });
      this.hello("");
    } else if (temporary) {
      core.link.comeBackAfter(retry_ms);
      core.link.lose(code);
    } else {
      core.end(code);
    }
  }

  /** @param {Frame} reply */
  #welcome(reply) {
    const { core, settings: { storage } } = this;
    const { user, session, guest_token } = reply;
    const isOther = this.user && this.user.id !== user.id;
    this.info = reply;
    this.user = user;
    this.#cameAnew = false;
    storage.set("session", session);
    if (guest_token) storage.set("guest_token", guest_token);
    core.link.up(reply.ping_ms + reply.pong_ms);
    if (isOther) {
      // Our cids are other cids now: what was sent before must not be sent again.
      core.outbox.fail(new ChatError("lost", "sent as another"), (letter) => letter.wasSent);
      core.rooms.forget();
    }
    core.rooms.cameIn(isOther ? {} : reply.rooms);
  }
}

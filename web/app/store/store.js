import { computed, signal } from "@preact/signals";
import { browserStorage } from "../../client/surroundings.js";
import { ChatClient } from "../../client/chat.js";
import * as archive from "./archive.js";
import { Attention } from "./attention.js";
import * as keep from "./keep.js";
import { Outgoing } from "./outgoing.js";
import { Places } from "./places.js";
import { isWhole } from "./whole.js";

/** @typedef {import("./room.js").Person} Person */
/** @typedef {{name: "settings" | "rooms" | "room" | "keys" | "nick" | "delete", [member: string]: any} | null} Dialog */
/** @typedef {{kind: "reply" | "edit", seq: number} | null} Compose */

const LINGER_MS = 6000; // so long a name belongs to a session that has gone

/** Everything the page knows, as signals, and what may be done about it. */
export class Store extends Places {
  /** @type {import("@preact/signals").Signal<any>} */
  link = signal({ state: "idle", reason: "", attempt: 0 });
  /** @type {import("@preact/signals").Signal<Person | undefined>} */
  me = signal(keep.get("me"));
  nick = signal(/** @type {string} */ (keep.get("nick") ?? ""));
  token = signal(/** @type {string} */ (keep.get("token") ?? ""));
  panel = signal(/** @type {"" | "people" | "search"} */ (""));
  /** @type {import("@preact/signals").Signal<Dialog>} */
  dialog = signal(null);
  /** @type {import("@preact/signals").Signal<Compose>} what the box is for, beside saying something new */
  compose = signal(null);
  /** the server has been renewed since this page was opened */
  isOld = signal(false);
  isStalled = signal(false); // the server takes nothing at the moment; the library says it again
  now = signal(Date.now());
  /** @type {import("@preact/signals").Signal<ReadonlyMap<string, string>>} the nicks we have met, by id */
  nicks = signal(new Map());
  #build = "";
  #isChanging = false; // who we are

  /** @param {import("./settings.js").Settings} settings */
  constructor(settings) {
    super(settings);
    this.outgoing = new Outgoing(this);
    this.chat = new ChatClient("v1", {
      nick: this.nick.peek() || undefined,
      lang: this.lang.peek(),
      client: "chatservice-page",
      storage: browserStorage(keep.PREFIX),
      token: () => this.token.peek() || undefined,
    });
    this.attention = new Attention(this);
    this.isOnline = computed(() => this.link.value.state === "online");
    this.chat.on("*", (event) => this.#heard(/** @type {any} */ (event)));
  }

  /** Begin, in the room that is asked for. @param {string} asked */
  start(asked) {
    this.begin(asked);
    if (this.me.peek()) this.outgoing.adopt();
    void this.chat.connect().catch(() => {});
  }

  /** @param {Person} person */
  knows({ id, nick }) {
    if (nick && this.nicks.peek().get(id) !== nick) this.nicks.value = new Map(this.nicks.peek()).set(id, nick);
  }

  /** @param {{id: string, nick?: string}} person how they are called now */
  nickOf({ id, nick }) {
    return this.nicks.value.get(id) ?? nick ?? id;
  }

  /** Whether I may do it, in the room that is shown. @param {string} what */
  may(what) {
    return !!this.current.value?.can.value.includes(what);
  }

  // --- what the library tells ---

  /** @param {any} event */
  #heard(event) {
    const { type, room } = event;
    if (!isWhole(event)) return;
    if (type === "state") this.#state(event);
    else if (type === "nick_taken") this.#claim(event.nick);
    else if (type === "presence") this.#presence({ ...event.user, status: event.status, text: event.text });
    else if (type === "dm") this.#dm(event.dm, event.with);
    else if (type === "lost") this.#lost(event);
    else if (type === "status") this.isStalled.value = event.engine === "down";
    else if (room && room !== "@me") this.room(room)?.heard(event);
    if (type === "nick" && event.user.id === this.me.peek()?.id) this.#am(event.user);
    if (event.seq && room) this.archiveSoon(this.room(room));
  }

  /** The name one wants is taken; maybe by oneself, a moment ago, as somebody else. @param {string} nick */
  #claim(nick) {
    const act = () => { this.dialog.value = { name: "nick" }; };
    if (!this.#isChanging) return this.toast(this.say.peek()("nick-taken", { nick }), "rename", act);
    setTimeout(() => this.chat.rename(nick).catch(() => this.toast(this.say.peek()("nick-taken", { nick }), "rename", act)), LINGER_MS);
  }

  /** @param {Person} person somebody has said that they are here, or not */
  #presence(person) {
    for (const room of this.rooms.peek().values()) room.presence(person);
    if (person.id === this.me.peek()?.id) this.me.value = { ...this.me.peek(), ...person };
  }

  /** @param {any} event */
  #state(event) {
    const wasOnline = this.link.peek().state === "online";
    this.link.value = { ...event, at: Date.now() };
    this.isStalled.value = false;
    this.outgoing.online(event.state === "online");
    // A name or a token that was let in at the door and is refused by the server: ask for another one.
    if (event.state === "ended" && event.reason === "bad_request" && !this.chat.user) {
      for (const name of ["nick", "token"]) keep.set(name, undefined);
      location.reload();
    }
    if (event.state !== "online" || wasOnline) return;
    const { build } = this.chat.info;
    this.#build ||= document.querySelector("meta[name=build]")?.getAttribute("content") ?? build;
    this.isOld.value = build !== this.#build;
    const isOther = this.me.peek() && this.me.peek()?.id !== event.user.id;
    this.#am(event.user);
    if (isOther) for (const room of this.rooms.peek().values()) if (room.isDM) this.drop(room);
    this.outgoing.adopt();
    void this.chat.dms().then((dms) => {
      for (const dm of dms) this.#dm(dm.room, dm.with);
    }, () => {});
  }

  /** @param {any} user */
  #am(user) {
    this.me.value = { ...user, ...(this.me.peek()?.id === user.id && { status: this.me.peek()?.status }) };
    keep.set("me", user);
    this.knows(user);
    if (user.nick) this.#call(user.nick);
  }

  /** @param {string} nick */
  #call(nick) {
    this.nick.value = nick;
    keep.set("nick", nick);
  }

  /** @param {string} name @param {Person} [other] */
  #dm(name, other) {
    if (other) this.knows(other);
    const known = this.room(name);
    if (known && other) known.other.value = other;
    if (!known && !(keep.get("closed") ?? []).includes(name)) this.add(name, other);
  }

  /** @param {any} event */
  #lost(event) {
    const { code, message } = event;
    const room = this.room(event.room);
    if (!room) return;
    const name = code === "kicked" || code === "banned" ? code : "no-entry";
    this.toast(this.say.peek()(name, { room: room.title.peek(), why: this.why({ code, message }) }));
    this.drop(room);
  }

  // --- oneself ---

  /** @param {string} nick @returns {Promise<string>} what is wrong with it, empty if nothing is */
  async rename(nick) {
    try {
      if (this.me.peek()?.nick !== nick) await this.chat.rename(nick);
      return "";
    } catch (error) {
      const why = this.why(error);
      if (!this.dialog.peek()) this.complain(error);
      return why;
    }
  }

  /** Be who a token says, or a guest again. @param {string} token @param {string} [nick] what an account is called */
  async signIn(token, nick) {
    this.token.value = token;
    keep.set("token", token || undefined);
    this.#isChanging = true;
    this.chat.disconnect();
    browserStorage(keep.PREFIX).set("session", null);
    await archive.clear();
    try {
      await this.chat.connect();
      if (nick) await this.rename(nick);
      return true;
    } catch {
      return false;
    } finally {
      this.#isChanging = false;
    }
  }
}

import { batch, computed, signal } from "@preact/signals";
import * as archive from "./archive.js";
import * as keep from "./keep.js";
import { RoomState } from "./room.js";
import { Telling } from "./telling.js";

/** @typedef {import("./room.js").Person} Person */
/** @typedef {import("./store.js").Store} Store */

const ARCHIVE_MS = 2000;
const NARROW = matchMedia("(max-width: 639px)");
const WIDE = matchMedia("(min-width: 1100px)");

/** The rooms one is in, and the one that is shown. */
export class Places extends Telling {
  /** @type {import("@preact/signals").Signal<ReadonlyMap<string, RoomState>>} */
  rooms = signal(new Map());
  /** @type {import("@preact/signals").Signal<RoomState | undefined>} */
  current = signal(undefined);
  isNarrow = signal(NARROW.matches);
  isWide = signal(WIDE.matches); // enough for people or search beside the room; else they lie over it
  /** on a narrow page: the list of rooms, or the room */
  screen = signal(/** @type {"rooms" | "room"} */ ("room"));
  /** on a narrow page there is nothing but the list of rooms now */
  isAlone = computed(() => this.isNarrow.value && this.screen.value === "rooms");
  isFocused = signal(document.hasFocus() && !document.hidden);
  /** what the list of messages tells about itself */
  view = { isStuck: true };
  /** @type {Set<RoomState>} */
  #dirty = new Set();
  /** @type {any} */
  #saving = null;

  /** @param {import("./settings.js").Settings} settings */
  constructor(settings) {
    super(settings);
    NARROW.addEventListener("change", () => { this.isNarrow.value = NARROW.matches; });
    WIDE.addEventListener("change", () => { this.isWide.value = WIDE.matches; });
  }

  /** @returns {Store} what this is a part of */
  get #store() {
    return /** @type {Store} */ (/** @type {unknown} */ (this));
  }

  /** @param {string} name */
  room(name) {
    return this.rooms.peek().get(name);
  }

  /** @param {RoomState} room */
  isCurrent(room) {
    return this.current.peek() === room;
  }

  /** Whether the newest message of the current room is before somebody's eyes. */
  isAttending() {
    const room = this.current.peek();
    return this.isFocused.peek() && !this.isAlone.peek() && this.view.isStuck && !!room?.isLive.peek();
  }

  /** Somebody looks at the page, or does not. */
  look() {
    this.isFocused.value = document.hasFocus() && !document.hidden;
    this.current.peek()?.marks.look();
  }

  /** Begin: the rooms of the last time, and the one that is asked for. @param {string} asked */
  begin(asked) {
    for (const { name, other } of keep.get("rooms") ?? []) if (typeof name === "string") this.add(name, other);
    if (!this.rooms.peek().size) this.add("lobby");
    const last = this.room(keep.get("current"));
    this.show(asked ? this.add(asked) : last ?? [...this.rooms.peek().values()][0]);
  }

  /** Be in a room from now on. @param {string} name @param {Person} [other] */
  add(name, other) {
    const { chat, nicks } = this.#store;
    const me = this.#store.me.peek();
    const canonical = chat.room(name).name;
    const known = this.room(canonical);
    if (known) return known;
    if (canonical.startsWith("dm:") && !other) {
      const id = canonical.split(":").slice(1).find((one) => one !== me?.id) ?? "";
      other = { id, nick: nicks.peek().get(id) ?? id };
    }
    const room = new RoomState(this.#store, canonical, other);
    this.rooms.value = new Map(this.rooms.peek()).set(canonical, room);
    this.#keepRooms();
    void room.handle.join();
    if (me) void archive.load(me.id, canonical).then((messages) => room.remember(messages));
    return room;
  }

  /** @param {RoomState} room it is not ours any more */
  drop(room) {
    const left = new Map(this.rooms.peek());
    left.delete(room.name);
    this.rooms.value = left;
    this.#dirty.delete(room);
    void archive.forget(room.name);
    this.#keepRooms();
    if (this.isCurrent(room)) this.show([...left.values()][0]);
  }

  /** @param {RoomState} room we go */
  leave(room) {
    if (room.isDM) keep.set("closed", [...new Set([...(keep.get("closed") ?? []), room.name])]);
    void room.handle.part().catch(() => {});
    this.drop(room);
  }

  #keepRooms() {
    keep.set("rooms", [...this.rooms.peek().values()].map(({ name, other }) => ({ name, other: other.peek() })));
  }

  /** Go to a room, be it new or not. @param {string} name @param {Person} [other] */
  open(name, other) {
    const room = this.add(name, other);
    keep.set("closed", (keep.get("closed") ?? []).filter((/** @type {string} */ one) => one !== room.name));
    batch(() => { // one step in the history
      this.screen.value = "room";
      this.show(room);
    });
    return room;
  }

  /** Talk to somebody alone. @param {Person} person */
  talkTo(person) {
    return this.open(`@${person.id}`, person);
  }

  /** On a narrow page: to the list of rooms. */
  goBack() {
    this.screen.value = "rooms";
  }

  /** @param {RoomState | undefined} room */
  show(room) {
    this.view.isStuck = true;
    this.current.value = room;
    if (!this.isAlone.peek()) room?.marks.visit();
    if (room) keep.set("current", room.name);
  }

  /** Keep the last messages for when there is no connection. @param {RoomState | undefined} room */
  archiveSoon(room) {
    if (!room) return;
    this.#dirty.add(room);
    this.#saving ??= setTimeout(() => {
      this.#saving = null;
      const me = this.#store.me.peek();
      for (const one of this.#dirty) if (me) void archive.save(me.id, one.name, one.handle.messages);
      this.#dirty.clear();
    }, ARCHIVE_MS);
  }
}

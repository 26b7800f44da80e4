import { computed, signal } from "@preact/signals";
import { rows } from "../timeline.js";
import { Lookout } from "./lookout.js";
import { Marks } from "./marks.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {{id: string, nick: string, status?: string, text?: string, role?: string}} Person */
/** @typedef {import("../timeline.js").Note} Note */

const NOTES = 200; // who came and went; older ones nobody looks for
const TYPING_MS = 6000;

/** One room as the page shows it. */
export class RoomState extends Lookout {
  /** @type {import("@preact/signals").Signal<readonly Note[]>} */
  notes = signal([]);
  topic = signal("");
  isPrivate = signal(false);
  isLocked = signal(false);
  /** seconds between two messages of one person */
  slow = signal(0);
  /** @type {import("@preact/signals").Signal<readonly string[]>} */
  can = signal([]);
  n = signal(0);
  /** @type {import("@preact/signals").Signal<ReadonlyMap<string, Person>>} */
  people = signal(new Map());
  /** @type {import("@preact/signals").Signal<readonly Person[]>} */
  typing = signal([]);
  /** @type {Map<string, any>} */
  #typingTimers = new Map();

  /** @param {Store} store @param {string} name @param {Person} [other] whom one talks to, in a direct conversation */
  constructor(store, name, other) {
    super(store, name);
    this.other = signal(other);
    this.marks = new Marks(this);
    this.title = computed(() => (this.other.value ? store.nickOf(this.other.value) : name));
    this.rows = computed(() => rows(this.messages.value, {
      read: this.marks.rule.value,
      notes: store.settings.moves.value ? this.notes.value : this.notes.value.filter((note) => note.type !== "enter" && note.type !== "leave"),
      isLive: this.isLive.value,
    }));
  }

  get me() {
    return this.store.me.value?.id;
  }

  /** Everything the library tells about this room. @param {any} event */
  heard(event) {
    const act = /** @type {any} */ (this)[`on_${event.type}`];
    if (act) act.call(this, event);
    if (event.seq && event.ts) {
      this.window.apply(event, this.me, !this.store.isCurrent(this) || this.store.view.isStuck);
      this.changed();
    }
  }

  /** @param {any} event */
  on_joined(event) {
    const isBack = this.isJoined.peek();
    this.isJoined.value = true;
    this.topic.value = event.topic ?? "";
    this.isPrivate.value = !!event.private;
    this.isLocked.value = !!event.locked;
    this.slow.value = event.slow ?? 0;
    this.can.value = event.you?.can ?? [];
    this.n.value = event.n;
    if (event.members) this.#gather(event.members);
    else if (!this.people.peek().size && this.isDM) this.#gather([this.store.me.value, this.other.value].filter(Boolean));
    if (event.reset) this.newest();
    this.marks.joined(event, isBack);
  }

  /** @param {any} event */
  on_message(event) {
    this.store.knows(event.from);
    this.#quiet(event.from.id);
    if (event.cid) this.store.outgoing.arrived(event.cid, event.seq);
    this.marks.told(event);
  }

  /** @param {any} event */
  on_truncate({ after }) {
    if (!this.window.truncate(after)) this.newest();
    this.changed();
  }

  /** @param {any} event */
  on_enter(event) {
    this.store.knows(event.user);
    this.n.value = event.n;
    this.#change((people) => people.set(event.user.id, { ...event.user }));
    this.#note(event);
  }

  /** @param {any} event */
  on_leave(event) {
    this.n.value = event.n;
    this.#change((people) => people.delete(event.user.id));
    this.#quiet(event.user.id);
    this.#note(event);
  }

  /** @param {any} event */
  on_nick(event) {
    this.store.knows(event.user);
    this.#change((people) => people.set(event.user.id, { ...people.get(event.user.id), ...event.user }));
    this.#note(event);
  }

  /** @param {any} event */
  on_count({ n }) {
    this.n.value = n;
  }

  /** @param {any} event */
  on_mod(event) {
    const { action, value, user } = event;
    if (action === "topic") this.topic.value = value ?? "";
    if (action === "private") this.isPrivate.value = value === "on";
    if (action === "lock") this.isLocked.value = value === "on";
    if (action === "slow") this.slow.value = Number(value);
    if (action === "role" && user?.id === this.me) void this.handle.join();
    this.#note(event);
  }

  /** @param {any} event */
  on_read({ seq, unread, mentions }) {
    this.marks.isRead(seq, unread, mentions);
  }

  /** @param {any} event */
  on_typing({ user, on }) {
    if (user.id === this.me) return;
    this.#quiet(user.id);
    if (!on) return;
    this.typing.value = [...this.typing.value, user];
    this.#typingTimers.set(user.id, setTimeout(() => this.#quiet(user.id), TYPING_MS));
  }

  /** Somebody's status. @param {Person} person */
  presence(person) {
    if (this.people.peek().has(person.id)) this.#change((people) => people.set(person.id, { ...people.get(person.id), ...person }));
  }

  /** @param {string} id */
  #quiet(id) {
    clearTimeout(this.#typingTimers.get(id));
    if (this.#typingTimers.delete(id)) this.typing.value = this.typing.value.filter((person) => person.id !== id);
  }

  /** @param {any} event */
  #note(event) {
    const after = event.seq ? event.seq - 1 : this.handle.position?.seq ?? 0;
    this.notes.value = [...this.notes.value, { ts: Date.now(), ...event, after }].slice(-NOTES);
  }

  /** @param {(people: Map<string, Person>) => void} change */
  #change(change) {
    const people = new Map(this.people.value);
    change(people);
    this.people.value = people;
  }

  /** @param {readonly any[]} members */
  #gather(members) {
    for (const member of members) this.store.knows(member);
    this.people.value = new Map(members.map((member) => [member.id, { ...this.people.value.get(member.id), ...member }]));
  }

  /** Those in a room too large to be told of each. */
  async gather() {
    if (this.people.peek().size || !this.handle.joined) return;
    const { members } = await this.handle.members();
    this.#gather(members);
  }
}

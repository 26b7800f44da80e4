import { computed, signal } from "@preact/signals";

const READ_MS = 300; // one word about many messages

/** How far one has read a room, and what one has not. */
export class Marks {
  unread = signal(0);
  mentions = signal(0);
  /** @type {import("@preact/signals").Signal<number | undefined>} the last seq that had been read when the visit began */
  rule = signal(undefined);
  /** @type {import("@preact/signals").Signal<number>} how many came below while one was reading further up */
  below = signal(0);
  /** the server knows that we have read so far */
  read = 0;
  /** somebody has had it before their eyes, whether or not the server knows */
  #seen = 0;
  /** the newest number that has been counted */
  #counted = 0;
  /** the server does not know yet of something that was seen as it came */
  #isBehind = false;
  /** @type {any} */
  #timer = null;

  /** @param {import("./room.js").RoomState} room */
  constructor(room) {
    this.room = room;
    this.isLoud = computed(() => this.mentions.value > 0 || (room.isDM && this.unread.value > 0));
  }

  /** @param {any} info what a join was answered @param {boolean} isBack after a loss of the connection */
  joined(info, isBack) {
    this.#counted = info.seq; // what follows up to here is in its counts
    if (info.reset) this.read = 0; // we may be somebody else now
    // To whom has never been here, nothing of what was said before is new.
    if (!isBack || info.reset) this.#seen = info.read || info.seq;
    this.isRead(info.read, info.unread, info.mentions);
    if (info.unread && this.room.store.isCurrent(this.room)) this.rule.value ??= Math.max(info.read, this.#seen);
    else if (!isBack) this.rule.value = undefined;
    this.look();
  }

  /** @param {any} message */
  told(message) {
    const { store } = this.room;
    if (message.seq <= this.#counted) return;
    this.#counted = message.seq;
    if (message.from.id === this.room.me) return;
    const isForMe = !!message.mentions?.includes(this.room.me);
    const isHere = store.isCurrent(this.room);
    const isMissed = isHere && !store.isAttending();
    if (isHere && !isMissed) {
      // Never unread: were it counted until the server has heard, the title would flicker with every message.
      this.#seen = message.seq;
      this.#isBehind = true;
      return this.look();
    }
    if (isMissed && (this.rule.peek() === undefined || !this.unread.peek())) this.rule.value = message.seq - 1;
    if (isHere && !store.view.isStuck) this.below.value += 1;
    this.unread.value += 1;
    if (isForMe) this.mentions.value += 1;
    store.attention.told(this.room, message, isForMe);
    this.look();
  }

  /** @param {number} seq @param {number} unread @param {number} mentions */
  isRead(seq, unread, mentions) {
    this.read = Math.max(this.read, seq);
    this.unread.value = unread;
    this.mentions.value = mentions;
  }

  /** One begins to look at the room. */
  visit() {
    this.rule.value = this.unread.peek() ? Math.max(this.read, this.#seen) : undefined;
    this.below.value = 0;
    this.look();
  }

  /** What is seen is read: all of it, if the newest message is before one's eyes. */
  look() {
    const { store } = this.room;
    if (!(this.unread.peek() || this.#isBehind) || !store.isCurrent(this.room) || !store.isAttending()) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (store.isCurrent(this.room) && store.isAttending()) void this.readAll();
    }, READ_MS);
  }

  /** Everything up to now has been read. */
  async readAll() {
    const { handle } = this.room;
    if (!handle.joined) return;
    try {
      this.#isBehind = false;
      const { seq, unread, mentions } = await handle.read();
      this.isRead(seq, unread, mentions);
    } catch {
      this.#isBehind = true;
    } // the connection is gone; the next join tells how far we are, and we look again
  }
}

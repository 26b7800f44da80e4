/** @typedef {import("./errors.js").Frame} Frame */

const KEEP = 1000; // older ones are a `history` away
const LASTING = ["reply", "mentions", "meta", "action"];
const ERASED = ["text", "mentions", "meta", "reactions"];

/** A room's messages in the shape of `history`, folded from its durable events. A message that changes is
 * replaced by another object. */
export class View {
  /** @type {Map<number, any>} by number, oldest first */
  messages = new Map();
  /** the number of the newest change of an earlier message */
  changed = 0;

  /** @param {Frame[]} state start over with these */
  replace(state) {
    this.messages = new Map(state.map((message) => [message.seq, message]));
    this.changed = 0;
  }

  /**
   * Drops what did not survive.
   * @param {number} after
   * @returns {boolean} false if a change of an earlier message did not survive either: what that was is not known here
   */
  truncate(after) {
    for (const seq of this.messages.keys()) if (seq > after) this.messages.delete(seq);
    return this.changed <= after;
  }

  /**
   * One durable event, in its turn. A type nobody knows changes nothing.
   * @param {Frame} event
   * @param {string | undefined} me one's own user id
   */
  apply(event, me) {
    const { type, seq, ref } = event;
    if (type === "message") {
      this.messages.set(seq, said(event));
      if (this.messages.size > KEEP) this.messages.delete(this.messages.keys().next().value ?? 0);
    } else if (type in FOLDS) {
      this.changed = seq;
      const message = this.messages.get(ref);
      if (message) this.messages.set(ref, FOLDS[type](message, event, me));
    }
  }
}

/** @param {Frame} event @returns {Frame} */
function said(event) {
  /** @type {Frame} */
  const message = { seq: event.seq, ts: event.ts, from: event.from, rev: 0 };
  if (event.deleted) message.deleted = true;
  else message.text = event.text;
  for (const name of LASTING) if (event[name]) message[name] = event[name];
  return message;
}

/** @param {Frame} message @returns {Frame} */
function erased(message) {
  /** @type {Frame} */
  const left = { ...message, deleted: true };
  for (const name of ERASED) delete left[name];
  return left;
}

/** @type {Record<string, (message: Frame, event: Frame, me: string | undefined) => Frame>} */
const FOLDS = {
  __proto__: /** @type {any} */ (null), // nothing but these

  edit(message, { rev, text, deleted }) {
    const edited = { ...message, rev, edited: true };
    if (deleted) return erased(edited);
    return message.deleted ? edited : { ...edited, text };
  },

  delete: erased,

  react(message, { emoji, n, by, on }, me) {
    if (message.deleted) return message;
    const { [emoji]: was, ...reactions } = message.reactions ?? {};
    if (n) reactions[emoji] = { n, me: by === me ? on : !!was?.me };
    const { reactions: _, ...rest } = message;
    return Object.keys(reactions).length ? { ...rest, reactions } : rest;
  },
};

import { ChatError } from "./errors.js";

/** @typedef {import("./errors.js").Frame} Frame */
/** @typedef {(event: any) => void} Handler */

const BUFFER = 1000; // a reader that is further behind would only fill the memory

/** Tells events, in order, after the code that caused them has come to its end: a handler may call anything. */
export class Emitter {
  /** @type {Map<string, Set<Handler>>} */
  #handlers = new Map();
  /** @type {Frame[]} */
  #queue = [];

  /**
   * @param {string} type of event, or `*` for all
   * @param {Handler} handler
   * @returns {() => void} to hear no more
   */
  on(type, handler) {
    const one = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, one);
    /** @type {Handler} the same handler given twice is called twice */
    const mine = (event) => handler(event);
    one.add(mine);
    return () => void one.delete(mine);
  }

  /** @param {Frame} event */
  tell(event) {
    if (this.#queue.push(event) === 1) queueMicrotask(() => this.#deliver());
  }

  #deliver() {
    // What handlers cause is appended while we go; a microtask of its own begins when the queue was empty.
    for (let event = this.#queue[0]; event; this.#queue.shift(), event = this.#queue[0]) {
      for (const type of [event.type, "*"]) {
        for (const handler of [...(this.#handlers.get(type) ?? [])]) {
          try {
            handler(event);
          } catch (error) {
            queueMicrotask(() => { throw error; }); // the platform reports it; the others still hear theirs
          }
        }
      }
    }
  }
}

/**
 * Events as `for await` wants them.
 * @param {(type: string, handler: Handler) => () => void} on
 * @param {(event: any) => boolean} isLast
 * @returns {AsyncGenerator<any, void, void>}
 */
export async function* stream(on, isLast) {
  /** @type {Frame[]} */
  const buffer = [];
  /** @type {() => void} */
  let wake = () => {};
  let over = false;
  const off = on("*", (event) => {
    buffer.push(event);
    over ||= isLast(event) || buffer.length > BUFFER;
    wake();
  });
  try {
    for (;;) {
      if (buffer.length > BUFFER) throw new ChatError("overflow");
      const event = buffer.shift();
      if (event) yield event;
      else if (over) return;
      else await new Promise((resolve) => { wake = () => resolve(undefined); });
    }
  } finally {
    off();
  }
}

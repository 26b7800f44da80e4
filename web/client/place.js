import { View } from "./view.js";

/** @typedef {import("./errors.js").Frame} Frame */

/** One room we want to be in: how far we have come, and what we lack. */
export class Place {
  view = new View();
  /** with `seq` our position; empty until a join was answered, and while we start over */
  epoch = "";
  /** the last number we have; everything up to it is in the view */
  seq = 0;
  /** the highest number we have heard of */
  known = 0;
  /** the highest top for which we have joined again */
  askedTop = 0;
  /** a join or a fetch is under way; what we lack will come with its answer */
  asking = false;
  /** we are in it, on this connection */
  inside = false;
  /** @type {Frame | undefined} what the newest join was answered */
  info = undefined;
  /** @type {{resolve: (info: any) => void, reject: (error: Error) => void}[]} those who wait for a join */
  waiting = [];

  /**
   * @param {string} name
   * @param {number} last so many messages to begin with
   * @param {(event: Frame) => void} tell
   */
  constructor(name, last, tell) {
    this.name = name;
    this.last = last;
    this.tell = tell;
  }

  /** whether there is something that we do not have */
  get lacks() {
    return !this.epoch || this.known > this.seq;
  }

  get position() {
    return this.epoch ? { epoch: this.epoch, seq: this.seq } : undefined;
  }

  /** The next join starts over. */
  forget() {
    this.epoch = "";
    this.seq = this.known = this.askedTop = 0;
  }

  /**
   * The answer to a join. Afterwards there is no `epoch` if our view cannot be made right by it.
   * @param {Frame} result
   * @param {string | undefined} me
   */
  entered(result, me) {
    const { reason = "", recovered, epoch, seq, valid } = result;
    const keeps = recovered || reason === "truncated";
    this.asking = false;
    this.inside = true;
    if (keeps && reason && this.seq > valid && !this.#cut(valid)) return this.forget();
    this.info = result;
    this.epoch = epoch;
    this.tell({ ...result, type: "joined", reset: !keeps, reason });
    if (keeps) {
      for (const event of result.events) this.heard(event, me);
    } else {
      this.view.replace(result.state);
      this.seq = seq;
    }
    this.known = this.seq; // the answer is the truth, whatever we had heard of
    if (this.seq !== seq) this.forget();
  }

  /**
   * A durable event: told once each, in order, without a gap. Afterwards see whether the room `lacks` something.
   * @param {Frame} event
   * @param {string | undefined} me
   * @returns {boolean} whether it was the next one
   */
  heard(event, me) {
    if (!this.epoch) return false;
    this.known = Math.max(this.known, event.seq);
    if (event.seq !== this.seq + 1) return false; // we have it already, or others must come first
    this.seq = event.seq;
    if (event.type !== "skip") {
      this.view.apply(event, me);
      this.tell(event);
    }
    return true;
  }

  /**
   * Whatever the server says about the room's numbers.
   * @param {Frame} frame
   * @param {string | undefined} me
   * @returns {boolean} whether it was the next entry
   */
  take(frame, me) {
    const { type, epoch } = frame;
    if (type === "lag") this.known = Math.max(this.known, frame.to);
    else if (type === "epoch") this.epoch &&= epoch;
    else if (type !== "truncate") return this.heard(frame, me);
    else if (!this.#cut(frame.after ?? 0)) this.forget();
    else if (this.epoch) [this.epoch, this.known] = [epoch, frame.seq]; // what comes now may have the same numbers
    return false;
  }

  /** @param {number} after @returns {boolean} false if dropping is not enough: see `View.truncate` */
  #cut(after) {
    this.seq = this.known = Math.min(this.seq, after);
    this.askedTop = 0;
    this.tell({ type: "truncate", room: this.name, after });
    return this.view.truncate(after);
  }
}

// The lesson done right: one WebSocket that comes back by itself and asks for exactly what it missed.
//
// The dialect is `simple`: every frame is {"type","data",…}. Messages carry `seq`, a number without gaps in
// the room; the enter with `you` carries the `epoch` that numbered them. Both together name a position, and
// `?since=SEQ&epoch=EPOCH` continues after it.

const QUICKEST_MS = 300;
const SLOWEST_MS = 20_000;
const STABLE_MS = 10_000;   // up for so long, and the next loss begins again with short waits
const ANSWER_MS = 3_000;    // after sleep: no answer for so long, and the connection is dead

export class Connection {
  #socket = null;
  #timer = 0;
  #probe = 0;
  #tries = 0;
  #openedAt = 0;
  #closed = false;

  // `wishes()` gives {room, nick, lang}; callbacks: state(name, waitMs), frame(object), lost(reason, valid).
  constructor(wishes, callbacks) {
    this.wishes = wishes;
    this.on = callbacks;
    this.epoch = null;
    this.seq = 0;
    addEventListener("online", () => this.retryNow());
    addEventListener("pageshow", (event) => event.persisted && this.retryNow());
    document.addEventListener("visibilitychange", () => !document.hidden && this.#check());
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.#timer);
    const url = new URL("./", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    url.search = new URLSearchParams({ ...this.wishes(), escape: "off", ...this.#position() }).toString();
    this.on.state("connecting", 0);
    const socket = this.#socket = new WebSocket(url, "chat");
    socket.onopen = () => { this.#openedAt = Date.now(); };
    socket.onmessage = (event) => this.#socket === socket && this.#frame(JSON.parse(event.data));
    socket.onclose = () => this.#socket === socket && this.#lost();
  }

  send(text) {
    this.#socket.send(text);
  }

  retryNow() {
    if (!this.#closed && !this.isOpen && this.#socket?.readyState !== WebSocket.CONNECTING) this.open();
  }

  #position() {
    return this.epoch === null ? { last: "50" } : { last: "50", since: String(this.seq), epoch: this.epoch };
  }

  #frame(frame) {
    clearTimeout(this.#probe);
    if (frame.type === "enter" && frame.you) {
      this.epoch = frame.epoch;
      this.seq = frame.seq;
      this.on.frame(frame);
      this.on.state("online", 0);
      return;
    }
    if (frame.code === "position_lost") {
      this.seq = frame.reason === "truncated" ? frame.valid : 0;
      this.epoch = null;   // what comes next is a new beginning, not a continuation
      this.on.lost(frame.reason, this.seq);
      return;
    }
    if (frame.seq !== undefined) {
      if (this.epoch !== null && this.seq > 0 && frame.seq > this.seq + 1) {
        this.#socket.close();   // a gap can only be a fault: ask again for what is missing
        return;
      }
      this.seq = Math.max(this.seq, frame.seq);
    }
    this.on.frame(frame);
  }

  #lost() {
    if (this.#openedAt && Date.now() - this.#openedAt > STABLE_MS) this.#tries = 0;
    this.#openedAt = 0;
    const most = Math.min(SLOWEST_MS, 500 * 2 ** this.#tries++);
    const waitMs = QUICKEST_MS + Math.random() * most;
    this.on.state("waiting", waitMs);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), waitMs);
  }

  // A tab that slept may hold a connection that died unseen: ask something and see.
  #check() {
    if (!this.isOpen) { this.retryNow(); return; }
    this.send("/who");
    clearTimeout(this.#probe);
    const socket = this.#socket;
    this.#probe = setTimeout(() => { if (this.#socket === socket) { this.#socket = null; socket.close(); this.#lost(); } }, ANSWER_MS);
  }
}

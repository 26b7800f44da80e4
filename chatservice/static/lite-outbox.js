// What was written and has not come back yet. Nothing is forgotten in silence: each line ends as a message of
// the room, or stays here for the person to send again or to drop.

const BURST = 8;            // the server allows 10 at once and 2 a second; staying below is never refused
const PAUSE_MS = 550;
const PATIENCE_MS = 10_000;

export class Outbox {
  #tokens = BURST;
  #timer = 0;
  #next = 1;

  // `transmit(text)` sends or returns false; `changed(items)` shows them.
  constructor(transmit, changed) {
    this.transmit = transmit;
    this.changed = changed;
    this.items = [];
    setInterval(() => { this.#tokens = Math.min(BURST, this.#tokens + 1); this.flush(); }, PAUSE_MS);
  }

  add(text) {
    this.items.push({ id: this.#next++, text, state: "waiting", sentAt: 0 });
    this.flush();
    this.changed(this.items);
  }

  flush() {
    let moved = false;
    for (const item of this.items) {
      if (item.state === "sending" && Date.now() - item.sentAt > PATIENCE_MS) { item.state = "unsure"; moved = true; }
      if (item.state !== "waiting") continue;
      if (this.#tokens < 1 || !this.transmit(item.text)) break;
      this.#tokens -= 1;
      item.state = "sending";
      item.sentAt = Date.now();
      moved = true;
    }
    if (moved) this.changed(this.items);
  }

  // A message came back: it is in the log now. Only `mine` is sure to be ours; what a reconnect replays under our
  // name counts when it says the same.
  confirm(text, mine) {
    const sent = this.items.filter((item) => item.state !== "waiting");
    const item = sent.find((one) => one.text.trim() === text.trim()) || (mine ? sent[0] : undefined);
    if (item) this.drop(item.id);
  }

  // The connection broke: whether what was under way arrived cannot be known.
  broken() {
    for (const item of this.items) if (item.state === "sending") item.state = "unsure";
    this.changed(this.items);
  }

  again(id) {
    const item = this.items.find((one) => one.id === id);
    if (item) { item.state = "waiting"; this.flush(); this.changed(this.items); }
  }

  drop(id) {
    this.items = this.items.filter((item) => item.id !== id);
    this.changed(this.items);
  }
}

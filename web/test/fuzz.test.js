// UI-30: whatever a server says, the library throws nothing at its user, and goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { message, world } from "./fakes.js";

const TYPES = ["message", "edit", "delete", "react", "mod", "enter", "leave", "nick", "typing", "count", "presence", "read",
  "dm", "lag", "truncate", "epoch", "skip", "ping", "bye", "ok", "error", "joined", "state", "constructor", "toString", "poll", ""];
const MEMBERS = ["id", "room", "seq", "ts", "from", "user", "text", "rev", "ref", "emoji", "n", "by", "on", "mentions", "reply",
  "epoch", "after", "to", "tops", "t", "code", "events", "state", "members", "action", "value", "__proto__", "later"];

/** A small generator, so that a failure can be had again (Marsaglia's xorshift, 2003). @param {number} seed */
function chance(seed) {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const pick = (from) => from[Math.floor(next() * from.length)];
  const value = (depth = 0) => {
    const kind = Math.floor(next() * (depth > 2 ? 6 : 8));
    if (kind === 6) return Array.from({ length: Math.floor(next() * 3) }, () => value(depth + 1));
    if (kind === 7) return Object.fromEntries(Array.from({ length: Math.floor(next() * 4) }, () => [pick(MEMBERS), value(depth + 1)]));
    return [null, true, Math.floor(next() * 20) - 5, pick(["tea", "@me", "dm:u_1:u_2", "u_1", "hi", "__proto__"]), 1e308, ""][kind];
  };
  return { next, pick, value };
}

/** @param {ReturnType<typeof chance>} it */
function frame({ next, pick, value }) {
  if (next() < 0.05) return pick(["", "{", "null", "[]", "7", '"a"', "\u0000", "[[]]", '{"type":{}}']);
  const members = Object.fromEntries(Array.from({ length: Math.floor(next() * 7) }, () => [pick(MEMBERS), value()]));
  return JSON.stringify({ type: pick(TYPES), room: pick(["tea", "tea", "hall", undefined, 7]), ...members });
}

for (const seed of [22]) {
  test(`a thousand frames of any kind (${seed}), and it can still be talked with`, async () => {
    const random = chance(seed);
    const it = world();
    it.chat.on("*", () => {});
    let tea = await it.inTea(3);
    for (let count = 0; count < 1000; count += 1) {
      await it.give(frame(random));
      if (it.chat.state !== "online") {
        // What is no frame ends a connection; what says so ends it for good. Then it begins anew.
        it.chat.disconnect();
        tea = await it.online({}, {}).then(() => it.chat.room("tea"));
      }
    }
    it.chat.disconnect();
    await it.online();
    assert.equal(it.chat.state, "online");
    assert.ok(tea.messages.every(({ seq }) => Number.isFinite(seq)));
  });
}

test("a type that nobody knows yet changes nothing, and is told to whoever asks for everything", async () => {
  const it = world();
  const tea = await it.inTea(2);
  await it.give({ ...message(3), type: "poll", options: ["a", "b"] }, { type: "weather", room: "tea", sun: true }, { type: "news" });
  assert.deepEqual(it.types().slice(-3), ["poll", "weather", "news"]);
  assert.equal(tea.position.seq, 3);
  assert.deepEqual(tea.messages.map(({ seq }) => seq), [1, 2]);
  await it.give(message(4, { mood: "good" }));
  assert.equal(tea.messages.at(-1).text, "text 4");
});

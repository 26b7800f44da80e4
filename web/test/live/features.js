// node test/live/features.js CLIENT URL: the library against a real server; ends with 1 at the first untruth.
import assert from "node:assert/strict";
import { WebSocket } from "ws";

const [library, url] = process.argv.slice(2);
const { ChatClient } = await import(library);
const people = [];

/** Somebody in the room, and everything that they are told. */
async function person(nick, more = {}) {
  const chat = new ChatClient(url, { nick, WebSocket, ...more });
  const told = [];
  chat.on("*", (event) => told.push(event));
  people.push(chat);
  await chat.connect();
  return { chat, told, room: chat.room("den") };
}

/** The first event that `which` likes, come or to come. */
async function heard({ chat, told }, which) {
  const found = told.find(which);
  if (found) return found;
  return new Promise((resolve) => {
    const off = chat.on("*", (event) => {
      if (!which(event)) return;
      off();
      resolve(event);
    });
  });
}

const limit = setTimeout(() => { throw new Error("not within 30 s"); }, 30_000);
const ann = await person("Ann");
const bob = await person("Bob");
assert.equal(ann.chat.user.nick, "Ann");
assert.ok(ann.chat.info.limits.text > 0);

const info = await ann.room.join();
assert.deepEqual([info.room, info.seq, info.you.can], ["den", 0, ["write", "react"]]);
await bob.room.join();
await heard(ann, (event) => event.type === "enter" && event.user.nick === "Bob");

const receipt = await ann.room.send("我们明天去上海吧 @Bob");
assert.deepEqual([receipt.seq, receipt.dup], [1, false]);
const again = await ann.room.send("我们明天去上海吧 @Bob", { cid: receipt.cid });
assert.deepEqual([again.seq, again.dup], [1, true]);
await assert.rejects(ann.room.send("else", { cid: receipt.cid }), { code: "cid_conflict", temporary: false });
await ann.room.edit(1, "我们今天去上海吧");
await assert.rejects(ann.room.edit(1, "no", 0), { code: "conflict" });
await bob.room.react(1, "🚄");
await assert.rejects(bob.room.delete(1), { code: "forbidden" });
await bob.room.send("good", { reply: 1 });
await heard(ann, (event) => event.type === "message" && event.text === "good");
const page = await ann.room.history({ limit: 10 });
assert.deepEqual(ann.room.messages, page.messages);
assert.equal(page.messages[0].text, "我们今天去上海吧");
assert.deepEqual(page.messages[0].reactions, { "🚄": { n: 1, me: false } });
assert.deepEqual((await bob.room.search("上海")).hits.map((hit) => hit.seq), [1]);
assert.equal((await bob.chat.search("上海")).hits[0].room, "den");
await bob.room.delete(4, "typo");
await heard(ann, (event) => event.type === "delete" && event.reason === "typo");
assert.deepEqual(ann.room.messages, (await ann.room.history()).messages);

assert.equal((await ann.chat.ask("pong")).type, "ok"); // how a tab that is shown again asks
assert.equal((await ann.room.read()).unread, 0);
assert.equal((await ann.room.members()).n, 2);
assert.deepEqual((await ann.chat.list()).map((room) => room.room), ["den"]);
bob.room.typing();
await heard(ann, (event) => event.type === "typing" && event.user.nick === "Bob");
await bob.chat.status("away", "tea");
await heard(ann, (event) => event.type === "presence" && event.status === "away");
await bob.chat.rename("Robert");
assert.equal(bob.chat.user.nick, "Robert");
await assert.rejects(ann.room.mod("lock", { value: "on" }), { code: "forbidden" });

await ann.chat.dm(bob.chat.user.id).send("psst");
const told = await heard(bob, (event) => event.type === "dm");
const dm = bob.chat.room(told.dm);
await dm.join();
assert.deepEqual(dm.messages.map((message) => message.text), ["psst"]);
assert.equal(dm.name, bob.chat.dm(ann.chat.user.id).name);
assert.deepEqual((await bob.chat.dms()).map((one) => [one.room, one.with.nick]), [[told.dm, "Ann"]]);

const kept = new Map();
const storage = { get: (name) => kept.get(name), set: (name, value) => void kept.set(name, value) };
const eve = await person("Eve", { storage });
eve.chat.disconnect();
const back = await person(undefined, { storage });
assert.equal(back.chat.user.id, eve.chat.user.id);
assert.equal(back.chat.user.nick, "Eve");

kept.set("guest_token", "g_forged");
const fresh = await person("Eva", { storage });
assert.equal(fresh.chat.user.nick, "Eva");
assert.notEqual(kept.get("guest_token"), "g_forged");

const forger = new ChatClient(url, { token: "g_forged", WebSocket });
await assert.rejects(forger.connect(), { code: "closed" });
assert.equal(forger.state, "ended");

await ann.room.part();
await assert.rejects(ann.room.send("gone"), { code: "not_joined" });
for (const chat of people) chat.disconnect();
clearTimeout(limit);
console.log("all true");

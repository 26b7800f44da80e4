// node chat.js CLIENT TRANSPORT PORT FEATURE…: the chat over Socket.IO; exits with 0 when all of them work, one after the other.
"use strict";
const assert = require("node:assert");
const [client, kind, port, ...wanted] = process.argv.slice(2);
const io = require(client);
const transports = { upgrade: ["polling", "websocket"], ws: ["websocket"], polling: ["polling"] }[kind];
const isV4 = client === "client-4";

const open = (query, more) =>
  io(`http://127.0.0.1:${port}`, { transports, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, query, ...more });

/** Keeps what a socket hears, and waits for what has not come yet. */
function ears(socket, ...names) {
  const heard = [];
  const waiting = [];
  for (const name of names)
    socket.on(name, (value) => {
      heard.push([name, value]);
      for (const look of [...waiting]) look();
    });
  const until = (what, found) =>
    new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`no ${what} in ${JSON.stringify(heard)}`)), 6000);
      const look = () => {
        const hit = heard.find(found);
        if (!hit) return;
        clearTimeout(timer);
        waiting.splice(waiting.indexOf(look), 1);
        done(hit[1]);
      };
      waiting.push(look);
      look();
    });
  return { heard, until, named: (name, test = () => true) => until(name, ([n, v]) => n === name && test(v)) };
}

const ask = (socket, name, value) =>
  new Promise((done, failed) => {
    setTimeout(() => failed(new Error(`${name} was not acknowledged`)), 6000).unref();
    socket.emit(name, value, done);
  });

const TAUGHT = ["news", "enter", "leave", "mes", "message", "edit", "delete", "react", "notice", "chat_error", "bye"];
const me = `${client}-${kind}`;
let room = ""; // of the feature

const features = {
  /** As the lessons have it: who comes, what is said to whom, who goes. */
  async taught() {
    const ann = open({ room, nick: `Ann-${me}` });
    const a = ears(ann, ...TAUGHT);
    assert.deepEqual(await a.named("news"), { hello: "world" });
    ann.emit("my other event", { my: "data" });
    await a.named("enter", (text) => text === `Ann-${me} comes in`);
    const bob = open({ room, nick: `Bob-${me}` });
    const b = ears(bob, ...TAUGHT);
    await b.named("enter", (text) => text === `Bob-${me} comes in`);
    await a.named("enter", (text) => text === `Bob-${me} comes in`);
    bob.emit("message", "你好 😀 <b>");
    const sentence = `Bob-${me} says: 你好 😀 <b>`;
    await a.named("mes", (text) => text === sentence);
    await a.named("message", (text) => text === "你好 😀 <b>");
    await b.named("mes", (text) => text === sentence);
    bob.emit("message", { username: `Rob-${me}`, content: "an object" });
    await a.named("mes", (text) => text === `Rob-${me} says: an object`);
    await a.named("message", (text) => text === "an object");
    await b.named("mes", (text) => text === `Rob-${me} says: an object`);
    assert.equal(b.heard.filter(([name]) => name === "message").length, 0, "the sender hears no `message`");
    bob.emit("message", { wrong: true });
    assert.equal((await b.named("chat_error")).code, "bad_request");
    assert.equal((await ask(bob, "nothing", {})).error.code, "unknown_type");
    const done = await ask(bob, "message", "acknowledged");
    assert.equal(done.type, "ok");
    assert.ok(done.seq > 0);
    bob.close();
    await a.named("leave", (text) => text === `Rob-${me} left`);
    ann.close();
  },

  /** chat.v1 as events: hello, join with a position, messages stored once, edits, reactions, history, search. */
  async full() {
    const ann = open({ v: "1" });
    const a = ears(ann, "message", "edit", "react", "delete", "enter", "typing", "read");
    const hello = await ask(ann, "hello", { nick: `Full-${me}`, rooms: { [room]: {} } });
    assert.equal(hello.type, "ok");
    assert.ok(hello.guest_token);
    const head = hello.rooms[room];
    const said = await ask(ann, "message", { room, text: "needle", cid: "c1" });
    const again = await ask(ann, "message", { room, text: "needle", cid: "c1" });
    assert.deepEqual([again.seq, again.dup, said.dup], [said.seq, true, false]);
    assert.equal((await a.named("message", (m) => m.seq === said.seq)).cid, "c1");
    const edited = await ask(ann, "edit", { room, ref: said.seq, text: "a needle", rev: 0 });
    assert.equal((await a.named("edit", (e) => e.seq === edited.seq)).text, "a needle");
    await ask(ann, "react", { room, ref: said.seq, emoji: "👍" });
    assert.equal((await a.named("react")).n, 1);
    const page = await ask(ann, "history", { room });
    assert.deepEqual(page.messages.map((m) => m.text), ["a needle"]);
    assert.equal((await ask(ann, "search", { q: "needle" })).hits.length, 1);
    assert.equal((await ask(ann, "message", { room: "elsewhere", text: "x" })).code, "not_joined");
    assert.equal((await ask(ann, "dance", {})).code, "unknown_type");
    ann.close();
    const back = open(isV4 ? {} : { v: "1" }, isV4 ? { auth: { v: 1 } } : {});
    const since = { epoch: head.epoch, seq: head.seq };
    const second = await ask(back, "hello", { token: hello.guest_token, rooms: { [room]: since } });
    assert.equal(second.user.id, hello.user.id);
    assert.ok(second.rooms[room].recovered);
    assert.deepEqual(second.rooms[room].events.map((e) => e.type), ["message", "edit", "react"]);
    back.close();
  },

  /** A taught socket that says hello is a chat.v1 one from then on. */
  async hello() {
    const ann = open({ room });
    const a = ears(ann, ...TAUGHT);
    await a.named("enter");
    const hello = await ask(ann, "hello", { nick: `Late-${me}`, rooms: { [room]: {} } });
    assert.equal(hello.user.nick, `Late-${me}`);
    const said = await ask(ann, "message", { room, text: "object" });
    const event = await a.named("message", (m) => m.seq === said.seq);
    assert.equal(event.text, "object");
    assert.equal(a.heard.filter(([name]) => name === "mes").length, 0);
    ann.close();
  },

  /** It says `ready`, and comes back by itself when the service does; what was said is still there. */
  async restart() {
    const ann = open({ room, last: "5" });
    const a = ears(ann, ...TAUGHT);
    await a.named("enter");
    assert.equal((await ask(ann, "message", "before")).type, "ok");
    const gone = new Promise((done) => ann.once("disconnect", done));
    process.stdout.write("ready\n");
    await gone;
    a.heard.length = 0;
    await a.named("mes", (text) => text.endsWith("says: before"));
    await a.named("enter");
    ann.close();
  },
};

(async () => {
  for (const feature of wanted) {
    room = `room-${me}-${feature}`;
    await features[feature]().catch((error) => {
      console.error(feature, error);
      process.exit(1);
    });
  }
  process.exit(0);
})();

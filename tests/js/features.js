// node features.js CLIENT TRANSPORT PORT FEATURE…: exits with 0 when all of them work, one after the other, else says why.
"use strict";
const assert = require("node:assert");
const [client, kind, port, ...wanted] = process.argv.slice(2);
const io = require(client);
const transports = { upgrade: ["polling", "websocket"], ws: ["websocket"], polling: ["polling"] }[kind];

const open = (namespace, more) =>
  io(`http://127.0.0.1:${port}${namespace}`, { transports, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100, ...more });

const once = (emitter, name) => new Promise((done) => emitter.once(name, (...values) => done(values)));

async function connected(socket) {
  if (!socket.connected) await once(socket, "connect");
  if (kind === "upgrade" && socket.io.engine.transport.name !== "websocket") await once(socket.io.engine, "upgrade");
  assert.equal(socket.io.engine.transport.name, kind === "polling" ? "polling" : "websocket");
}

const ask = (socket, ...values) => new Promise((done) => socket.emit("message-with-ack", ...values, (...answer) => done(answer)));

const features = {
  async acks() {
    const socket = open("/");
    await connected(socket);
    assert.deepEqual(await ask(socket, 1, "zwei 😀", { 3: [false] }), [1, "zwei 😀", { 3: [false] }]);
    const many = await Promise.all(Array.from({ length: 200 }, (_, number) => ask(socket, number)));
    assert.deepEqual(many.map(([number]) => number), Array.from({ length: 200 }, (_, number) => number));
    socket.close();
  },

  async binary() {
    const socket = open("/");
    await connected(socket);
    const back = once(socket, "message-back");
    const bytes = Buffer.from([1, 2, 3, 255]);
    socket.emit("message", bytes, { deep: [bytes, "é"] });
    const [first, second] = await back;
    assert.ok(bytes.equals(Buffer.from(first)));
    assert.ok(bytes.equals(Buffer.from(second.deep[0])));
    assert.equal(second.deep[1], "é");
    const [answer] = await ask(socket, bytes);
    assert.ok(bytes.equals(Buffer.from(answer)));
    socket.close();
  },

  async namespaces() {
    const main = open("/");
    const auth = [];
    const custom = main.io.socket("/custom");
    custom.on("auth", (value) => auth.push(value));
    if (client === "client-4") custom.connect();
    if (!custom.connected) await once(custom, "connect");
    await connected(main);
    assert.ok(client === "client-4" ? custom.id !== main.id : custom.id === "/custom#" + main.id);
    const missing = main.io.socket("/random");
    const failed = once(missing, client === "client-4" ? "connect_error" : "error");
    if (client === "client-4") missing.connect();
    const [error] = await failed;
    assert.equal(error.message || error, "Invalid namespace");
    custom.close();
    assert.deepEqual(await ask(main, "still"), ["still"]);
    assert.equal(auth.length, 1);
    main.close();
  },

  async recovery() {
    const socket = open("/", { reconnection: true });
    await connected(socket);
    const { id } = socket;
    assert.ok(!socket.recovered);
    for (const first of [true, false]) {  // once without any event before the loss, once with
      const heard = [];
      socket.on("missed", (number) => heard.push(number));
      if (!first) {
        const said = once(socket, "said");
        socket.emit("say", "word");
        assert.equal((await said)[0], "word");
      }
      const again = once(socket, "connect");
      socket.io.engine.close();
      await again;
      assert.ok(socket.recovered);
      assert.equal(socket.id, id);
      assert.deepEqual(heard, [1, 2]);
      socket.off("missed");
    }
    socket.close();
  },

  async reconnect() {
    const socket = open("/");
    await connected(socket);
    const lost = once(socket, "disconnect");
    const again = lost.then(() => once(socket, "connect"));
    console.log("ready");
    await again;
    assert.deepEqual(await ask(socket, "again"), ["again"]);
    socket.close();
  },
};

(async () => {
  for (const feature of wanted) {
    const late = setTimeout(() => { console.error(`${feature} took too long`); process.exit(2); }, 20000);
    await features[feature]().catch((error) => { console.error(feature, error); process.exit(1); });
    clearTimeout(late);
  }
  process.exit(0);
})();

// node emit.js LIBRARY SOCKET KEY CALLS: emits by a Redis emitter, as back ends do. CALLS is JSON: [{to, name, data,
// volatile, except, order}]. Ends with 0 when all is published.
"use strict";
const [library, path, key, calls] = process.argv.slice(2);

async function modern() {
  const { Emitter } = require("@socket.io/redis-emitter");
  const client = require("redis").createClient({ socket: { path } });
  await client.connect();
  const published = [];
  const publisher = { publish: (channel, message) => published.push(client.publish(channel, message)) };
  return [new Emitter(publisher, { key }), () => Promise.all(published).then(() => client.close())];
}

function old() {
  const emitter = require("socket.io-emitter")({ socket: path, key });
  return [emitter, () => new Promise((done) => emitter.redis.quit(done))];
}

(async () => {
  const [emitter, end] = await (library === "modern" ? modern() : old());
  for (const { to = [], name, data = [], volatile, except, order } of JSON.parse(calls)) {
    let it = volatile ? emitter.volatile : emitter;
    for (const room of to) it = it.to(room);
    if (except) it = it.except(except);
    if (order) it[order](true);
    else it.emit(name, ...data.map((one) => (one === "BYTES" ? Buffer.from([0, 255]) : one === "DATE" ? new Date(0) : one)));
  }
  await end();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});

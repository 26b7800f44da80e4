// node hear.js CLIENT PORT ROOM: a socket in that room; writes each event that it hears as a line of JSON.
"use strict";
const [client, port, room] = process.argv.slice(2);
const socket = require(client)(`http://127.0.0.1:${port}`, { transports: ["websocket"], forceNew: true, query: { room } });
const plain = (key, value) => (value?.type === "Buffer" ? { bytes: value.data } : value);
for (const name of ["enter", "mes", "message", "chat message", "score", "all", "end"])
  socket.on(name, (...data) => console.log(JSON.stringify([name, ...data.map((one) => (Buffer.isBuffer(one) ? { bytes: [...one] } : one))], plain)));

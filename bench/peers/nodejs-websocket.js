// npm nodejs-websocket, whose connections know a path each.
"use strict";
const ws = require("nodejs-websocket");
const asked = require("./asked");

const server = ws.createServer(asked.secure ? { secure: true, ...asked.secure } : {}, (connection) => {
  const room = asked.room(connection.path);
  room.add(connection);
  connection.on("text", (text) => {
    if (connection.path === "/echo") connection.sendText(text);
    else for (const other of room) other.sendText(text);
  });
  connection.on("close", () => room.delete(connection));
  connection.on("error", () => {});
});
server.listen(asked.port, "127.0.0.1");

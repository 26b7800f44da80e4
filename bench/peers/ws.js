// npm ws, as its README's broadcast example does it: one send to each.
"use strict";
const { WebSocketServer } = require("ws");
const asked = require("./asked");

const server = asked.httpServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: asked.deflate });
sockets.on("connection", (socket, request) => {
  const room = asked.room(request.url);
  const echo = request.url === "/echo";
  room.add(socket);
  socket.on("message", (data) => {
    if (echo) socket.send(data, { binary: false });
    else for (const other of room) other.send(data, { binary: false });
  });
  socket.on("close", () => room.delete(socket));
  socket.on("error", () => socket.terminate());
});
server.listen(asked.port, "127.0.0.1", 4096);

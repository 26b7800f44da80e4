// npm socket.io: an event of one goes to all.
"use strict";
const { Server } = require("socket.io");
const asked = require("./asked");

const server = asked.httpServer();
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: asked.deflate });
io.on("connection", (socket) => socket.on("say", (text) => io.emit("said", text)));
server.listen(asked.port, "127.0.0.1", 4096);

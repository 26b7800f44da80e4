// The package `ws`: argv are the address and, as JSON, its perMessageDeflate option. Sends what it is told on stdin,
// a line a message; prints what was agreed on first, then each message, then the close code.
const WebSocket = require("/usr/share/nodejs/ws"); // where Debian's node-ws puts it; npm's Node does not look there
const readline = require("readline");

const [url, option] = process.argv.slice(2);
const socket = new WebSocket(url, { perMessageDeflate: JSON.parse(option) });
const input = readline.createInterface({ input: process.stdin });

socket.on("open", () => console.log("agreed: " + socket.extensions));
socket.on("message", (data) => console.log(data.toString()));
socket.on("close", (code) => {
  console.log("closed: " + code);
  input.close();
});
socket.on("error", (error) => console.log("error: " + error.message));
input.on("line", (line) => socket.send(line));

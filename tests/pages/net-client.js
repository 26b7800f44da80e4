// A first TCP chat client: greet as soon as the line stands, then send what is typed, until "bye".
const net = require("net");
const readline = require("readline");

const client = new net.Socket();
client.setEncoding("utf8");

client.connect(__PORT__, "127.0.0.1", () => {
  client.write("你好");
});

client.on("data", (data) => {
  console.log("server: " + data);
});

client.on("error", (error) => {
  console.log("error: " + error.message);
});

client.on("close", () => {
  console.log("closed");
  input.close();
});

const input = readline.createInterface({ input: process.stdin });

input.on("line", (line) => {
  if (line === "bye") {
    client.destroy();
  } else {
    client.write(line + "\n");
  }
});

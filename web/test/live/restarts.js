// node test/live/restarts.js CLIENT URL EACH: three people talk; on `back` from stdin they are half way through a restart.
// Says how far they are on stdout, and at the end what each of them has seen.
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

const [library, url, each] = process.argv.slice(2);
const { ChatClient } = await import(library);
const say = (what) => console.log(JSON.stringify(what));
const until = async (chat, isSo) => {
  while (!isSo()) await new Promise((resolve) => { const off = chat.on("*", () => { off(); resolve(); }); });
};

const people = ["a", "b", "c"].map((name) => {
  const chat = new ChatClient(url, { WebSocket });
  const room = chat.room("tea");
  const person = { name, chat, room, seqs: [], ids: new Set(), losses: 0, resets: 0 };
  room.on("message", (event) => person.seqs.push(event.seq));
  room.on("joined", (event) => { person.resets += event.reset; });
  chat.on("state", ({ state, user }) => {
    if (state === "online") person.ids.add(user.id);
    if (state === "waiting") person.losses += 1;
  });
  chat.connect();
  return person;
});
await Promise.all(people.map(({ room }) => room.join()));
say({ joined: people.length });

const receipts = [];
people[0].room.on("message", ({ seq }) => say({ seq }));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (let number = 0; number < Number(each); number += 1) {
  for (const { name, room } of people) receipts.push(room.send(`${name} says ${number}`));
  const stop = number === Math.floor(each / 4) || number === Math.floor(each / 2);
  if (stop) {
    await Promise.all(people.map(({ chat }) => until(chat, () => chat.state === "online"))); // each is to lose both
    say({ number }); // some are answered, some are under way, some are still to be sent
    await lines.next();
  }
}
const answers = await Promise.all(receipts);
const top = Math.max(...answers.map((answer) => answer.seq));
for (const { room, chat } of people) {
  await until(chat, () => (room.position?.seq ?? 0) >= top);
}
const { messages } = await people[0].room.history({ limit: 200 });
say({
  kept: messages,
  receipts: answers.map(({ seq }) => seq),
  people: people.map(({ name, room, seqs, ids, losses, resets }) => (
    { name, messages: room.messages, seqs, ids: [...ids], losses, resets }
  )),
});
for (const { chat } of people) chat.disconnect();
process.exit(0);

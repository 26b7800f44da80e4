// Compiled, never run: what TypeScript knows of the library, and that the library is what it says.
import * as built from "../../client/index.js";
import { ChatClient, ChatError, View, browserStorage, type AnyEvent, type Message, type Receipt, type State } from "../../client/client";

type Public = typeof import("../../client/client");
type IsPublic<Type extends (...values: any) => unknown> = Type;
export const constructed: new (...values: ConstructorParameters<Public["ChatClient"]>) => ChatClientShape = built.ChatClient;
type ChatClientShape = { [Name in keyof Omit<ChatClient, "on" | "room" | "dm" | "rooms">]: ChatClient[Name] };
export const error: Public["ChatError"] = built.ChatError;
export const storage: Public["browserStorage"] = built.browserStorage;
export const view: new () => InstanceType<Public["View"]> = built.View;
export type Checked = IsPublic<typeof built.browserStorage>;

export async function aProgram(): Promise<void> {
  const chat = new ChatClient("wss://chat.example.com/v1", {
    nick: "子墨",
    lang: "zh-CN",
    token: async () => "secret",
    storage: browserStorage("office"),
  });
  const off: () => void = chat.on("state", ({ state, retry_ms, reason }) => {
    const name: State = state;
    const wait: number | undefined = retry_ms;
    console.log(name, wait, reason.length);
  });
  chat.on("dm", (event) => chat.room(event.dm).join());
  chat.on("*", (event: AnyEvent) => console.log(event.type));
  const tea = chat.room("tea");
  tea.on("message", ({ from, text, seq }) => console.log(from.nick, text ?? "", seq + 1));
  tea.on("joined", ({ reset, unread }) => console.log(reset && unread > 0));
  // @ts-expect-error there is no such event
  tea.on("massage", () => {});
  // @ts-expect-error presence concerns no room
  tea.on("presence", () => {});
  const info = await tea.join({ last: 20 });
  console.log(info.you.can.includes("write"));
  const isBack: boolean = chat.withdraw("mine");
  console.log(isBack);
  const receipt: Receipt = await tea.send("hi", { reply: 3 });
  const page: { messages: Message[]; more: boolean } = await tea.history({ before: receipt.seq, limit: 50 });
  console.log(page.messages.at(-1)?.reactions?.["👍"]?.me);
  // @ts-expect-error one side at a time
  await tea.history({ before: 1, after: 2 });
  for await (const event of tea) console.log(event.type);
  try {
    await tea.delete(receipt.seq);
  } catch (problem) {
    if (problem instanceof ChatError && problem.temporary) console.log(problem.retry_ms ?? 0);
  }
  // @ts-expect-error messages are not ours to change
  tea.messages.push();
  // @ts-expect-error there are three
  await chat.status("busy");
  const seen: Map<number, Message> = new View().messages;
  console.log(seen.size, off());
}

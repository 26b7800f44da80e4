import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS, parse, whom } from "../app/commands.js";
import { CATALOGUES } from "../app/words.js";

test("what begins with one slash is a command, with two it is said", () => {
  assert.deepEqual(parse("hello /nick"), { say: "hello /nick" });
  assert.deepEqual(parse("//nick"), { say: "/nick" });
  assert.deepEqual(parse("/nick  小明 "), { command: "nick", rest: "小明" });
  assert.deepEqual(parse("/JOIN tea room"), { command: "join", rest: "tea room" });
  assert.deepEqual(parse("/me waves\ntwice"), { say: "waves\ntwice", action: true });
  assert.deepEqual(parse("/me"), { command: "me", rest: "" });
});

test("an unknown command is never said, not even one that objects inherit", () => {
  for (const name of ["nonsense", "constructor", "__proto__", "你好", ""]) assert.deepEqual(parse(`/${name} x`), { unknown: name }, name);
  assert.deepEqual(parse("/usr/bin/env"), { unknown: "usr/bin/env" });
});

test("whom a command is about is the longest name the line begins with", () => {
  const people = [{ nick: "Eve" }, { nick: "Eve van Dam" }, { nick: "小明" }];
  assert.deepEqual(whom("eve van dam too  loud", people), { person: people[1], more: "too  loud" });
  assert.deepEqual(whom("@Eve van", people), { person: people[0], more: "van" });
  assert.deepEqual(whom("小明", people), { person: people[2], more: "" });
  for (const rest of ["", "Ev", "Evelyn", "小明明"]) assert.deepEqual(whom(rest, people), { person: undefined, more: "" }, rest);
});

test("every command is explained in every language", () => {
  for (const words of Object.values(CATALOGUES)) for (const name of Object.keys(COMMANDS)) assert.ok(words[`command-${name}`], name);
});

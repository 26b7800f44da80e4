import assert from "node:assert/strict";
import { test } from "node:test";
import { best, candidates, trigger } from "../app/complete.js";
import { EMOJI, find } from "../app/emoji.js";

const at = (text) => trigger(text, text.length);
const people = [["u_1", "Bob"], ["u_2", "Bobby"], ["u_3", "陈子墨"], ["u_4", "Jacob"]].map(([id, nick]) => ({ id, nick }));
const known = { people, rooms: ["lobby", "茶水间"], recent: [], find, say: (name) => name };

test("names begin with @, at the beginning, after a space, after Chinese, and not inside addresses", () => {
  assert.deepEqual(at("@bo"), { kind: "@", query: "bo", from: 0 });
  assert.deepEqual(at("hi @"), { kind: "@", query: "", from: 3 });
  assert.deepEqual(at("你好@陈"), { kind: "@", query: "陈", from: 2 });
  assert.equal(at("ann@example"), null);
  assert.equal(trigger("@bob and", 8), null);
  assert.deepEqual(trigger("@bob and", 3), { kind: "@", query: "bo", from: 0 });
});

test("emoji need two letters or one of another script; times, addresses and faces are left alone", () => {
  assert.deepEqual(at("so :ta"), { kind: ":", query: "ta", from: 3 });
  assert.deepEqual(at("好:笑"), { kind: ":", query: "笑", from: 1 });
  for (const text of [":)", ":t", "12:30", "https://ex", "std::vec"]) assert.equal(at(text), null, text);
});

test("commands are offered only where a message begins", () => {
  assert.equal(at("/he")?.kind, "/");
  assert.equal(at("see /he"), null);
  assert.deepEqual(candidates({ kind: "/", query: "he", from: 0 }, known).map((one) => one.insert), ["/help"]);
});

test("whose name begins with it comes first, among them who spoke last", () => {
  const nicks = (recent) => candidates({ kind: "@", query: "bob", from: 0 }, { ...known, recent }).map((one) => one.label);
  assert.deepEqual(nicks([]), ["Bob", "Bobby"]);
  assert.deepEqual(nicks(["u_2"]), ["Bobby", "Bob"]);
  assert.deepEqual(best(["Jacob", "cobra"], (name) => name, "co"), ["cobra", "Jacob"]);
});

test("emoji are found by English and Chinese words", () => {
  assert.equal(find("tada")[0].emoji, "🎉");
  assert.equal(find("谢谢")[0].emoji, "🙏");
  assert.deepEqual(find("there is none"), []);
  assert.equal(new Set(EMOJI.map((one) => one.emoji)).size, EMOJI.length, "each once");
  for (const { emoji, words } of EMOJI) {
    assert.ok(words.some((word) => /[a-z]/.test(word)) && words.some((word) => /\p{Script=Han}/u.test(word)), emoji);
  }
});

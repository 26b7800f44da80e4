import assert from "node:assert/strict";
import { test } from "node:test";
import { hueOf, initials, isJumbo, isName } from "../app/people.js";

test("a seal has the last two Han characters, or two initials", () => {
  const names = { 林晓雯: "晓雯", 海: "海", "João Pereira": "JP", "deploy-bot": "DB", ann: "AN", "小明 Li": "小明", "👩‍💻x": "👩‍💻X", "": "?" };
  for (const [nick, seal] of Object.entries(names)) assert.equal(initials(nick), seal, nick);
});

test("somebody has the same one of twelve colours everywhere, and all twelve are used", () => {
  assert.equal(hueOf("u_1"), 4); // as FNV-1a of these three bytes has it
  const hues = new Set(Array.from({ length: 300 }, (_, index) => hueOf(`u_${index}`)));
  assert.deepEqual([...hues].sort((a, b) => a - b), Array.from({ length: 12 }, (_, hue) => hue));
});

test("only a few emoji and nothing else are shown large", () => {
  for (const text of ["👍", "👩‍💻 🎉", "❤️", "🇨🇳"]) assert.ok(isJumbo(text), text);
  for (const text of ["", "ok 👍", "1", "#", "👍👍👍👍👍👍👍", "好"]) assert.ok(!isJumbo(text), text);
});

test("what the server would refuse as a name is known beforehand", () => {
  const family = "👨‍👩‍👧‍👦"; // one character, 25 bytes
  for (const nick of ["Ann", "林晓雯", "João Pereira", family, "x".repeat(32), family.repeat(5), "a/b"]) assert.ok(isName(nick), nick);
  for (const nick of ["", "/ann", "@ann", "#ann", "*ann", "x".repeat(33), family.repeat(6), "a\u202eb", "a\u0000", "a\u2028b"]) {
    assert.ok(!isName(nick), nick);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { mentionsIn } from "../app/mentions.js";

/** What is called in it. */
const found = (text, ...names) => text.split(mentionsIn(names) ?? /$^/).filter((_, index) => index % 2);

test("a nick of several words is found whole, also beside one that begins like it", () => {
  assert.deepEqual(found("ask @Ann Lee or @Ann, please", "@Ann", "@Ann Lee"), ["@Ann Lee", "@Ann"]);
  assert.deepEqual(found("@ann lee!", "@Ann Lee"), ["@ann lee"]);
});

test("the beginning of another word and a mail address call nobody", () => {
  assert.deepEqual(found("@annabel, mail bob@ann.example", "@Ann"), []);
  assert.deepEqual(found("@林晓雯看这里", "@林晓雯"), ["@林晓雯"]);
});

test("signs of a pattern are only signs", () => {
  assert.deepEqual(found("@a.b (c) and @axb (c)", "@a.b (c)"), ["@a.b (c)"]);
  assert.equal(mentionsIn([]), null);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHTMLStrict } from "../stubs/entities.js";

test("the names that matter become characters, once", () => {
  assert.equal(decodeHTMLStrict("&lt;b&gt; &amp;amp; &quot;&apos;&nbsp;"), "<b> &amp; \"'\u00a0");
});

test("all others stay as they were typed", () => {
  for (const text of ["&constructor;", "&AMP;", "&amp", "&;", "& co", "R&D;"]) {
    assert.equal(decodeHTMLStrict(text), text);
  }
});

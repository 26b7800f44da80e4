// UI-19: whatever is shown comes from the catalogues: no letters stand in the templates themselves.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PARTS = fileURLToPath(new URL("../app/parts/", import.meta.url));

// The name of the house on its seal, the languages by their own names, and what people type.
const SAME_EVERYWHERE = ["話", "English", "中文"];
const SHOWN = /^(?:aria-label|aria-description|title|placeholder|alt|label)$/;
const HOLE = "\u0000";

/**
 * The templates in a source, each with holes for its expressions; those inside of expressions too.
 * @param {string} source
 */
function templates(source) {
  const found = [];
  let at = 0;
  /** From behind a `{` or the beginning, up to its end. */
  const code = () => {
    for (let depth = 0; at < source.length; at++) {
      const sign = source[at];
      if (sign === "/" && source[at + 1] === "/") at = source.indexOf("\n", at);
      else if (sign === "/" && source[at + 1] === "*") at = source.indexOf("*/", at) + 1;
      else if (sign === '"' || sign === "'") string(sign);
      else if (sign === "`") template(source.slice(0, at).endsWith("html"));
      else if (sign === "/" && /[(,=:[!&|?{};]\s*$/.test(source.slice(Math.max(0, at - 9), at))) regexp();
      else if (sign === "{") depth++;
      else if (sign === "}" && depth-- === 0) return;
    }
  };
  const string = (quote) => { while (source[++at] !== quote) if (source[at] === "\\") at++; };
  const regexp = () => {
    for (let isSet = false; source[++at] !== "/" || isSet;) {
      if (source[at] === "\\") at++;
      else if (source[at] === "[") isSet = true;
      else if (source[at] === "]") isSet = false;
    }
  };
  const template = (isHTML) => {
    let text = "";
    while (source[++at] !== "`") {
      if (source[at] === "\\") at++;
      else if (source.startsWith("${", at)) {
        at += 2;
        code();
        text += HOLE;
        continue;
      }
      text += source[at];
    }
    if (isHTML) found.push(text);
  };
  code();
  return found;
}

/** @param {string} markup what a reader would see or hear of it */
function words(markup) {
  const found = [];
  const tag = new RegExp(`<(?:[^>"']|"[^"]*"|'[^']*')*>`, "g");
  for (const [whole] of markup.matchAll(tag)) {
    for (const [, name, value] of whole.matchAll(/([\w-]+)\s*=\s*"([^"]*)"/g)) if (SHOWN.test(name)) found.push(value);
  }
  found.push(...markup.replace(tag, HOLE).split(HOLE));
  return found.map((text) => text.trim()).filter((text) => /\p{L}/u.test(text) && !SAME_EVERYWHERE.includes(text));
}

test("the reader of templates sees words, and only words", () => {
  const source = 'const a = html`<p title="Hi ${b}" class=${c ? "d" : "e"}>${f ? html`<b>Yes</b>` : "no"} more<//>`; // html`<i>x</i>`\n'
    + 'const r = /`html"/; html`<${Icon} name="send" /><br />${`not shown ${x}`}`;';
  assert.deepEqual(templates(source).flatMap(words).sort(), [`Hi ${HOLE}`, "Yes", "more"].sort());
});

test("no words stand in the templates", () => {
  const files = readdirSync(PARTS);
  assert.ok(files.length > 30);
  let count = 0;
  for (const file of files) {
    const found = templates(readFileSync(join(PARTS, file), "utf8"));
    count += found.length;
    assert.deepEqual(found.flatMap(words), [], file);
  }
  assert.ok(count > 100, `only ${count} templates were found`);
});

test("no words are handed to a toast, a title or a label but by the catalogues", () => {
  for (const folder of ["parts", "store"]) {
    for (const file of readdirSync(join(PARTS, "..", folder))) {
      const source = readFileSync(join(PARTS, "..", folder, file), "utf8");
      for (const [call] of source.matchAll(/(?:\.toast\(|\.title = |\.textContent = |new Notification\()\s*["'`][^"'`]*\p{L}[^"'`]*["'`]/gu)) {
        assert.fail(`${file}: ${call}`);
      }
    }
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { CATALOGUES, choose, dayWords, speak } from "../app/words.js";

const holes = (entry) => {
  const patterns = typeof entry === "string" ? [entry] : Object.values(entry);
  return [...new Set(patterns.flatMap((pattern) => pattern.match(/\{\w+\}/g) ?? []))].sort();
};

test("UI-19: the catalogues have the same names with the same values in them", () => {
  const { en, "zh-CN": zh } = CATALOGUES;
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const name of Object.keys(en)) {
    assert.deepEqual(holes(zh[name]), holes(en[name]), name);
    assert.equal(typeof zh[name], typeof en[name], name);
  }
});

test("every plural form a language has is there", () => {
  for (const [lang, words] of Object.entries(CATALOGUES)) {
    const { pluralCategories } = new Intl.PluralRules(lang).resolvedOptions();
    for (const [name, entry] of Object.entries(words)) {
      if (typeof entry !== "string") assert.deepEqual(Object.keys(entry).sort(), [...pluralCategories].sort(), `${lang} ${name}`);
    }
  }
});

test("words with numbers and names in them", () => {
  assert.equal(speak("en")("new-below", { n: 1 }), "1 new message");
  assert.equal(speak("en")("new-below", { n: 1200 }), "1,200 new messages");
  assert.equal(speak("zh-CN")("new-below", { n: 3 }), "3 条新消息");
  assert.equal(speak("zh-CN")("typing-two", { a: "林晓雯", b: "{n}" }), "林晓雯和{n}正在输入…");
});

test("the first language that we speak is taken", () => {
  assert.equal(choose(["zh-TW"]), "zh-CN");
  assert.equal(choose([null, "", "fr-FR", "en-GB", "zh"]), "en");
  assert.equal(choose(["fr"]), "en");
});

test("days have the words that people use", () => {
  const now = new Date(2026, 10, 20, 0, 30).getTime();
  const [en, zh] = [dayWords("en", now), dayWords("zh-CN", now)];
  assert.equal(en(now), "Today · Friday, November 20");
  assert.equal(en(now - 31 * 60_000), "Yesterday · Thursday, November 19");
  assert.equal(zh(now), "今天 · 11月20日 星期五");
  assert.match(en(new Date(2025, 10, 20).getTime()), /2025/);
});

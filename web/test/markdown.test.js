import assert from "node:assert/strict";
import { test } from "node:test";
import { markdown } from "../app/markdown.js";

const escape = (text) => text.replace(/[<>&]/g, (it) => `&#${it.charCodeAt(0)};`);

/** The elements as one line, to be read by people. */
function shown(text) {
  const make = (tag, props, ...children) => ({ tag, props, children });
  const write = (node) => {
    if (typeof node === "string") return escape(node);
    const props = Object.entries(node.props ?? {}).filter(([name]) => name !== "target" && name !== "rel");
    return `<${node.tag}${props.map(([name, value]) => ` ${name}=${value}`).join("")}>${node.children.map(write).join("")}</${node.tag}>`;
  };
  return markdown(text, make).map(write).join("").replace(/^<p>(.*)<\/p>$/s, "$1");
}

const CASES = [
  // Chinese punctuation after addresses, Chinese emphasis
  ["见https://example.com/a，谢谢", "见<a href=https://example.com/a>https://example.com/a</a>，谢谢"],
  ["（https://example.com/x）", "（<a href=https://example.com/x>https://example.com/x</a>）"],
  ["**你好。**世界", "<strong>你好。</strong>世界"],
  ["**「重点」**内容", "<strong>「重点」</strong>内容"],
  // what must never become an element or an address
  ["[x](javascript:alert(1))", "[x](javascript:alert(1))"],
  ["[x](JaVaScRiPt:alert(1))", "[x](JaVaScRiPt:alert(1))"],
  ["[x](data:text/html,y)", "[x](data:text/html,y)"],
  ["[x](vbscript:y)", "[x](vbscript:y)"],
  ["[x](/admin)", "[x](/admin)"],
  ["<javascript:alert(1)>", "&#60;javascript:alert(1)&#62;"],
  ["<img src=x onerror=alert(1)>", "&#60;img src=x onerror=alert(1)&#62;"],
  ["<script>alert(1)</script>", "&#60;script&#62;alert(1)&#60;/script&#62;"],
  ["![x](https://example.com/a.png)", "!<a href=https://example.com/a.png>x</a>"],
  // the subset
  ["*a* **b** ~~c~~ `d`", "<em>a</em> <strong>b</strong> <s>c</s> <code>d</code>"],
  ["# no heading", "# no heading"],
  ["a\nb", "a<br></br>b"],
  ["> said", "<blockquote><p>said</p></blockquote>"],
  ["- a\n- b", "<ul><li>a</li><li>b</li></ul>"],
  ["3. a\n4. b", "<ol start=3><li>a</li><li>b</li></ol>"],
  ["```js\nlet a < 1;\n```", "<pre><code data-language=js>let a &#60; 1;\n</code></pre>"],
  ["```js\" onload=x\ny\n```", "<pre><code data-language=js>y\n</code></pre>"],
  ["    indented", "indented"],
  ["|a|b|\n|-|-|\n|c|d|", "|a|b|<br></br>|-|-|<br></br>|c|d|"],
  ["readme.md and mail me@example.com", "readme.md and mail me@example.com"],
  ["[site](https://example.com)", "<a href=https://example.com>site</a>"],
  ["mailto:ann@example.com", "<a href=mailto:ann@example.com>mailto:ann@example.com</a>"],
];

for (const [text, expected] of CASES) {
  test(`markdown: ${JSON.stringify(text)}`, () => assert.equal(shown(text), expected));
}

test("a link opens elsewhere and tells nobody where from", () => {
  const [p] = markdown("https://example.com", (tag, props, ...children) => ({ tag, props, children }));
  assert.deepEqual(p.children[0].props, {
    href: "https://example.com", target: "_blank", rel: "noopener noreferrer nofollow ugc",
  });
});

test("a host that mixes scripts is shown as the network knows it, one that does not as it was written", () => {
  assert.match(shown("https://раypal.com/a"), />https:\/\/xn--[^<]+\/a</);
  assert.match(shown("https://пример.рф/a"), />https:\/\/пример\.рф\/a</);
  assert.match(shown("https://例子.测试/a"), />https:\/\/例子\.测试\/a</);
});

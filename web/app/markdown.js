import MarkdownIt from "markdown-it";
import cjkFriendly from "markdown-it-cjk-friendly";
import { isSafe, shownAs } from "./links.js";

/** @typedef {Pick<ReturnType<InstanceType<typeof MarkdownIt>["parse"]>[number], "type" | "content" | "info" | "children" | "hidden" | "nesting" | "attrGet">} Token */
/**
 * Makes an element, as Preact's `h` does.
 * @template Node
 * @typedef {(tag: string, props: Record<string, string> | null, ...children: (Node | string)[]) => Node} Make
 */

/** @type {InstanceType<typeof MarkdownIt> | undefined} made for the first message: its patterns take long, and the door has none */
let made;

function parser() {
  if (made) return made;
  made = new MarkdownIt({ html: false, linkify: true, breaks: true })
    .use(cjkFriendly)
    .disable(["image", "table", "heading", "lheading", "hr", "reference", "code", "html_block", "html_inline"]);
  made.linkify.set({ fuzzyLink: false, fuzzyEmail: false }); // `readme.md` and `v1.to` are no addresses
  made.validateLink = isSafe;
  return made;
}

// What may stand in a message, and as which element; of everything else only the words are shown.
const ELEMENTS = new Map([
  ["paragraph", "p"], ["strong", "strong"], ["em", "em"], ["s", "s"], ["link", "a"], ["blockquote", "blockquote"],
  ["bullet_list", "ul"], ["ordered_list", "ol"], ["list_item", "li"],
]);

/**
 * A message's text as elements. No HTML string is ever made of it.
 * @template Node
 * @param {string} text
 * @param {Make<Node>} make
 * @returns {(Node | string)[]}
 */
export function markdown(text, make) {
  return walk(parser().parse(text, {}), make);
}

/**
 * @template Node
 * @param {Token[]} tokens
 * @param {Make<Node>} make
 * @returns {(Node | string)[]}
 */
function walk(tokens, make) {
  /** @type {(Node | string)[][]} the children of each element that is open */
  const open = [[]];
  for (const [index, token] of tokens.entries()) {
    const here = open[open.length - 1];
    if (token.hidden) continue; // the paragraphs of a tight list
    if (token.nesting > 0) {
      open.push([]);
    } else if (token.nesting < 0) {
      const children = open.pop() ?? [];
      const tag = ELEMENTS.get(token.type.replace(/_close$/, ""));
      const parent = open[open.length - 1];
      if (tag) parent.push(make(tag, propsOf(tag, opening(tokens, index), children), ...children));
      else parent.push(...children);
    } else if (token.type === "inline") {
      here.push(...walk(token.children ?? [], make));
    } else if (token.type === "code_inline") {
      here.push(make("code", null, token.content));
    } else if (token.type === "fence") {
      const [language = ""] = token.info.match(/^[\w+#-]{1,20}/) ?? [];
      here.push(make("pre", null, make("code", language ? { "data-language": language } : null, token.content)));
    } else if (token.type === "softbreak" || token.type === "hardbreak") {
      here.push(make("br", null));
    } else if (token.content) {
      here.push(token.content);
    }
  }
  return open[0];
}

/** The token that opened what the one at `end` closes. @param {Token[]} tokens @param {number} end */
function opening(tokens, end) {
  let depth = 0;
  let index = end;
  do depth += tokens[index--].nesting; while (depth);
  return tokens[index + 1];
}

/**
 * @param {string} tag @param {Token} token @param {unknown[]} children
 * @returns {Record<string, string> | null}
 */
function propsOf(tag, token, children) {
  if (tag === "ol") return token.attrGet("start") ? { start: String(token.attrGet("start")) } : null;
  if (tag !== "a") return null;
  const href = String(token.attrGet("href") ?? "");
  if (children.length === 1 && /^https?:/.test(String(children[0]))) children[0] = shownAs(href, String(children[0]));
  return { href, target: "_blank", rel: "noopener noreferrer nofollow ugc" };
}

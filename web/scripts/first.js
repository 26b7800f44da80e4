// What stands in the HTML itself, so that the first paint waits for no script: the door in each language, made of the
// same part that shows it later, and the few lines that choose.
import { createHash } from "node:crypto";
import { build } from "esbuild";

/** How the room is called in it, until it is known which one it is. */
const LOBBY = "#lobby";
// What a door is made with in the build: a bundle of its own, for Node.
const PARTS = `
  export { Door } from "./app/parts/door.js";
  export { PageFrame } from "./app/parts/frame.js";
  export { CATALOGUES, speak } from "./app/words.js";
`;

/** Void elements have no end tag (HTML, section 13.1.2); those of ours. */
const VOID = new Set(["input"]);
/** What Preact calls otherwise than HTML does. */
const NOT_SHOWN = new Set(["children", "key", "ref"]);

/** @param {string} code as it stands between its tags @returns {string} a source for a Content-Security-Policy */
export const source = (code) => `sha256-${createHash("sha256").update(code).digest("base64")}`;

/** @param {import("esbuild").BuildOptions} common @returns {Promise<string>} ready to stand in the HTML */
export async function firstScript(common) {
  const define = { LOBBY: JSON.stringify(LOBBY) };
  const { outputFiles: [{ text }] } = await build({ ...common, define, write: false, entryPoints: ["app/first.js"], format: "iife" });
  if (/<[/!]/.test(text)) throw new Error("first.js would end its own element");
  return text.trim();
}

/**
 * @param {string} web the directory of the sources
 * @param {import("esbuild").BuildOptions} common
 * @returns {Promise<string>} a template for each language, by its name, and `frame`
 */
export async function doors(web, common) {
  const { outputFiles: [{ text: code }] } = await build({
    ...common, write: false, minify: false, platform: "node", format: "esm",
    stdin: { contents: PARTS, resolveDir: web }, external: ["./later.js"],
  });
  const { Door, PageFrame, CATALOGUES, speak } = await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
  const template = (id, vnode) => `<template id="${id}">${markup(vnode)}</template>`;
  const made = Object.keys(CATALOGUES).map((lang) => {
    const settings = { say: { value: speak(lang) }, wish: {} };
    return template(lang, Door({ settings, room: LOBBY.slice(1), enter() {} }));
  });
  return [...made, template("frame", PageFrame())].join("\n");
}

/**
 * HTML of what Preact would show; of elements only, which is what a door is made of.
 * @param {any} node
 * @returns {string}
 */
function markup(node) {
  if (node === null || node === undefined || typeof node === "boolean") return "";
  if (Array.isArray(node)) return node.map(markup).join("");
  if (typeof node !== "object") return escape(String(node));
  const { type, props } = node;
  if (typeof type !== "string") throw new Error("a door is made of elements only");
  const attributes = Object.entries(props)
    .filter(([name, value]) => !NOT_SHOWN.has(name) && !name.startsWith("on") && value !== undefined && value !== null)
    .filter(([name, value]) => value !== false || name.startsWith("aria-"))
    .map(([name, value]) => (value === true && !name.startsWith("aria-") ? ` ${name}` : ` ${name}="${escape(String(value))}"`));
  const inside = markup(props.children);
  return `<${type}${attributes.join("")}>${VOID.has(type) ? "" : `${inside}</${type}>`}`;
}

/** @param {string} text */
const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

// The page: its bundle with the lazy parts, style, HTML, icons, manifest, service worker and licences.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, transform } from "esbuild";
import { doors, firstScript, source } from "./first.js";
import { seal } from "./icons.js";
import { licences } from "./licences.js";

const PAPER = { light: "#FBFAF6", dark: "#14171B" };
// What browsers have, or nobody types.
const STUBS = { entities: "./stubs/entities.js", "punycode.js": "./stubs/punycode.js" };
const NAMES = { entryNames: "[name].[hash]", chunkNames: "[name].[hash]", assetNames: "[name].[hash]" };

/** @param {string | Buffer} bytes */
export const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");

/**
 * @param {string} web the directory of the sources
 * @param {string} out where the files go
 * @param {import("esbuild").BuildOptions} common
 * @param {string} version of the service
 * @returns {Promise<{id: string, hashed: string[], inline: string}>} which build this is; the files whose names tell their
 *   content; the script that stands in the HTML, as a policy names it
 */
export async function buildPage(web, out, common, version) {
  const css = await bundle("app/app.css", "app", { ...common, outdir: out });
  const js = await bundle("entry.js", "app", {
    ...common, outdir: out, format: "esm", splitting: true, alias: STUBS,
  });
  await writeFile(join(out, "LICENSES.txt"), await licences(web, js.metafile));
  const icons = await drawIcons(web, out);

  const template = await readFile(join(web, "app/index.html"), "utf8");
  const worker = await readFile(join(web, "worker/sw.js"), "utf8");
  // What is painted before the page is there; a template may do without.
  const first = template.includes("{{doors}}") ? { doors: await doors(web, common), first: await firstScript(common) } : {};
  const hashed = [...css.files, ...js.files, ...Object.values(icons)].sort();
  const id = `${version}-${digest(JSON.stringify([hashed, template, first, worker])).slice(0, 12)}`;

  const shell = [css.entry, js.entry, ...js.parts].map((name) => `app/${name}`);
  const icon = inAddress(await readFile(join(out, icons.svg), "utf8"));
  await writeFile(join(out, "manifest.webmanifest"), manifest(icons));
  await writeFile(join(out, "index.html"), fill(template, { id, css, js, icon, first, touchIcon: icons[180] }));
  await writeFile(join(out, "sw.js"), await configured(worker, { BUILD: id, SHELL: shell }, common));
  return { id, hashed, inline: first.first ? source(first.first) : "" };
}

/** @typedef {{entry: string, parts: string[], files: string[], metafile: import("esbuild").Metafile}} Bundle */

/**
 * @param {string} path of the entry
 * @param {string} name
 * @param {import("esbuild").BuildOptions} options
 * @returns {Promise<Bundle>} names: of the entry, of what it needs at once, of all files
 */
async function bundle(path, name, options) {
  const entryPoints = [{ in: path, out: name }];
  const { metafile } = await build({ ...options, ...NAMES, entryPoints, metafile: true });
  const outputs = Object.entries(metafile.outputs);
  const [entry, about] = outputs.find(([, { entryPoint }]) => entryPoint === path) ?? outputs[0];
  const parts = about.imports.filter(({ kind }) => kind === "import-statement").map((part) => basename(part.path));
  return { entry: basename(entry), parts, files: outputs.map(([file]) => basename(file)), metafile };
}

/**
 * @param {string} web
 * @param {string} out
 * @returns {Promise<Record<string, string>>} their names
 */
async function drawIcons(web, out) {
  const drawn = {
    svg: await readFile(join(web, "../chatservice/static/seal.svg")),
    180: seal(180, true), // iOS rounds the corners itself
    192: seal(192, false),
    512: seal(512, false),
    maskable: seal(512, true),
  };
  /** @type {Record<string, string>} */
  const names = {};
  for (const [kind, bytes] of Object.entries(drawn)) {
    const [stem, end] = kind === "svg" ? ["seal", "svg"] : [`seal-${kind}`, "png"];
    names[kind] = `${stem}.${digest(bytes).slice(0, 8).toUpperCase()}.${end}`;
    await writeFile(join(out, names[kind]), bytes);
  }
  return names;
}

/** @param {Record<string, string>} icons */
function manifest(icons) {
  const png = (kind, size, purpose) => ({ src: `app/${icons[kind]}`, sizes: `${size}x${size}`, type: "image/png", purpose });
  return `${JSON.stringify({
    name: "chat",
    short_name: "chat",
    id: "./",
    start_url: "./",
    scope: "./",
    display: "standalone",
    background_color: PAPER.light,
    theme_color: PAPER.light,
    icons: [
      { src: `app/${icons.svg}`, sizes: "any", type: "image/svg+xml", purpose: "any" },
      png(192, 192, "any"), png(512, 512, "any"), png("maskable", 512, "maskable"),
    ],
  }, null, 1)}\n`;
}

/**
 * The template with the names that only the build knows. What belongs into every head and does not stand in it yet is
 * added at its end. All addresses are relative: the page may live under any path.
 * @param {string} template
 * @param {{id: string, css: Bundle, js: Bundle, icon: string, first: Record<string, string>, touchIcon: string}} made
 */
function fill(template, { id, css, js, icon, first, touchIcon }) {
  /** @type {Record<string, string>} */
  const values = { css: `app/${css.entry}`, js: `app/${js.entry}`, icon, build: id, ...first };
  const html = template.replace(/\{\{(\w+)\}\}/g, (hole, name) => {
    if (!(name in values)) throw new Error(`index.html: nobody knows ${hole}`);
    return values[name];
  });
  for (const name of ["css", "js"]) if (!html.includes(values[name])) throw new Error(`index.html lacks {{${name}}}`);
  const theme = (scheme) => `<meta name="theme-color" media="(prefers-color-scheme: ${scheme})" content="${PAPER[scheme]}">`;
  const head = [
    ['name="build"', `<meta name="build" content="${id}">`],
    ['name="robots"', '<meta name="robots" content="noindex">'],
    ['name="theme-color"', `${theme("light")}\n${theme("dark")}`],
    ['rel="manifest"', '<link rel="manifest" href="manifest.webmanifest">'],
    ['rel="icon"', `<link rel="icon" href="${icon}" type="image/svg+xml">`],
    ['rel="apple-touch-icon"', `<link rel="apple-touch-icon" href="app/${touchIcon}">`],
    ['rel="modulepreload" href', js.parts.map((name) => `<link rel="modulepreload" href="app/${name}" fetchpriority="low">`).join("\n")],
  ];
  const missing = head.filter(([sign, lines]) => lines && !html.includes(sign)).map(([, lines]) => lines);
  return html.replace("</head>", `${missing.join("\n")}\n</head>`);
}

/**
 * A picture as an address: a request less, and it is there without a network.
 * @param {string} svg
 */
function inAddress(svg) {
  return `data:image/svg+xml,${svg.trim().replaceAll('"', "'").replace(/[%#<>&]/g, encodeURIComponent)}`;
}

/**
 * A script with its constants, minified.
 * @param {string} source
 * @param {Record<string, unknown>} constants
 * @param {import("esbuild").BuildOptions} common
 */
async function configured(source, constants, { minify, target, charset }) {
  const define = Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]));
  return (await transform(source, { minify, target, charset, define, format: "iife" })).code;
}

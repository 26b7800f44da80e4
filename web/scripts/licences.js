// What the bundle owes to others: the licence text of every package of which a byte is in it.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * @param {string} web the directory of the sources
 * @param {import("esbuild").Metafile} metafile what went into the bundle
 * @returns {Promise<string>}
 */
export async function licences(web, metafile) {
  const used = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).filter(([, part]) => part.bytesInOutput > 0).map(([path]) => path));
  const packages = new Set(used.flatMap((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[0] ?? []));
  const texts = await Promise.all([...packages].sort().map((path) => licence(join(web, path))));
  return [
    "The chat page contains these packages, bundled and minified. Everything else in it is part of chatservice.\n",
    ...texts,
  ].join(`\n${"=".repeat(78)}\n\n`);
}

/** @param {string} folder of a package */
async function licence(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort();
  if (!files.length) throw new Error(`${name} has no licence text: it may not be bundled`);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")));
  return [`${name} ${version} (${license})\n`, ...texts.map((text) => `${text.replace(/\r\n/g, "\n").trim()}\n`)].join("\n");
}

// Builds what browsers get into chatservice/static/app/ (or the directory named as the first argument).
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compress } from "./compress.js";
import { buildLibrary } from "./library.js";
import { buildPage, digest } from "./page.js";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const OUT = process.argv[2] ?? join(HERE, "../chatservice/static/app");

const common = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: /** @type {const} */ ("utf8"),
  legalComments: /** @type {const} */ ("none"),
  logLevel: /** @type {const} */ ("warning"),
};

const [, version] = /__version__ = "([^"]+)"/.exec(await readFile(join(HERE, "../chatservice/__init__.py"), "utf8")) ?? [];
if (!version) throw new Error("chatservice/__init__.py does not tell its version");

// Elsewhere first: a build that fails leaves what is there as it is.
const made = await mkdtemp(join(tmpdir(), "chatservice-web-"));
try {
  await buildLibrary(HERE, made, common);
  const { id, hashed, inline } = await buildPage(HERE, made, common, version);
  /** @type {Record<string, string>} so that whoever serves them later knows that they are whole */
  const files = {};
  for (const name of (await readdir(made)).sort()) files[name] = digest(await readFile(join(made, name)));
  await writeFile(join(made, "assets.json"), `${JSON.stringify({ build: id, hashed, inline, files }, null, 1)}\n`);
  await compress(made);
  await rm(OUT, { recursive: true, force: true });
  await mkdir(OUT, { recursive: true });
  await cp(made, OUT, { recursive: true });
} finally {
  await rm(made, { recursive: true, force: true });
}

// Builds what browsers get into chatservice/static/app/ (or the directory named as the first argument).
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const OUT = process.argv[2] ?? join(HERE, "../chatservice/static/app");

// Names of our own classes that neither the wire nor our callers know: a byte of each is enough. `checkNames` and
// the tests of the built file see to it that none of them ever becomes somebody else's.
const SHORT = [
  "address", "asking", "askedTop", "atHello", "cameIn", "canonical", "changed", "closed", "comeBackAfter",
  "core", "dial", "entered", "fail", "find", "forget", "heard", "identity", "inside", "isOnline", "isOver", "isWanted",
  "known", "lacks", "later", "letters", "link", "lookAt", "lose", "newCid", "opened", "outbox", "places", "post",
  "prepare", "probe", "renamed", "settings", "take", "tell", "truncated", "typed", "underWay", "waiting", "wake",
  "wasSent",
];

/** No short name may be one of the API's or the wire's members. */
async function checkNames() {
  const schema = await readFile(join(HERE, "../docs/wire/chat.v1.schema.json"), "utf8");
  const types = (await readFile(join(HERE, "client/client.d.ts"), "utf8")).replace(/\/\*\*.*?\*\//gs, "");
  const wire = new Set([...schema.matchAll(/"([A-Za-z_]+)":/g)].map((found) => found[1]));
  const api = new Set([...types.matchAll(/\b([A-Za-z_]+)\??(?=\s*[(:])|\bget ([A-Za-z_]+)/g)].flat());
  const known = SHORT.filter((name) => wire.has(name) || api.has(name));
  if (known.length) throw new Error(`these names are not only ours: ${known.join(", ")}`);
}

const common = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
};

await checkNames();
await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
const library = { ...common, mangleProps: new RegExp(`^(${SHORT.join("|")})$`) };
await build({ ...library, entryPoints: ["client/index.js"], format: "esm", outfile: join(OUT, "client.js") });
await build({ ...library, entryPoints: ["client/iife.js"], format: "iife", outfile: join(OUT, "client.iife.js") });
await copyFile(join(HERE, "client/client.d.ts"), join(OUT, "client.d.ts"));

/** @type {Record<string, string>} which build this is: a page can tell whether it is the newest */
const digests = {};
for (const name of (await readdir(OUT)).sort()) {
  digests[name] = createHash("sha256").update(await readFile(join(OUT, name))).digest("hex").slice(0, 20);
}
await writeFile(join(OUT, "assets.json"), `${JSON.stringify(digests, null, 2)}\n`);

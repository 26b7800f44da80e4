// The client library: client.js, client.iife.js and its types.
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

// Names of our own classes that neither the wire nor our callers know: a byte of each is enough. `checkNames` and
// the tests of the built file see to it that none of them ever becomes somebody else's.
const SHORT = [
  "address", "askedTop", "asking", "atHello", "base", "cameIn", "canonical", "changed", "closed",
  "comeBackAfter", "core", "dial", "due", "end", "entered", "fail", "find", "forget", "heard",
  "identity", "inside", "isOnline", "isOver", "isWanted", "known", "lacks", "later", "letters", "link", "lookAt",
  "lose", "names", "newCid", "opened", "outbox", "places", "post", "prepare", "probe", "put", "remove",
  "renamed", "settings", "take", "tell", "truncated", "typed", "underWay", "up", "view", "waiting", "wake",
  "wasSent",
];

/**
 * No short name may be one of the API's or the wire's members.
 * @param {string} web
 */
async function checkNames(web) {
  const schema = await readFile(join(web, "../docs/wire/chat.v1.schema.json"), "utf8");
  const types = (await readFile(join(web, "client/client.d.ts"), "utf8")).replace(/\/\*\*.*?\*\//gs, "");
  const wire = new Set([...schema.matchAll(/"([A-Za-z_]+)":/g)].map((found) => found[1]));
  const api = new Set([...types.matchAll(/\b([A-Za-z_]+)\??(?=\s*[(:])|\bget ([A-Za-z_]+)/g)].flat());
  const known = SHORT.filter((name) => wire.has(name) || api.has(name));
  if (known.length) throw new Error(`these names are not only ours: ${known.join(", ")}`);
}

/**
 * @param {string} web the directory of the sources
 * @param {string} out where the files go
 * @param {import("esbuild").BuildOptions} common
 */
export async function buildLibrary(web, out, common) {
  await checkNames(web);
  const library = { ...common, mangleProps: new RegExp(`^(${SHORT.join("|")})$`) };
  await build({ ...library, entryPoints: ["client/index.js"], format: "esm", outfile: join(out, "client.js") });
  await build({ ...library, entryPoints: ["client/iife.js"], format: "iife", outfile: join(out, "client.iife.js") });
  await copyFile(join(web, "client/client.d.ts"), join(out, "client.d.ts"));
}

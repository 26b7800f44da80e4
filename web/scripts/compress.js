// A .br and a .gz beside each file that becomes smaller by it, as small as they get: it is done once.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = new Set([".css", ".html", ".js", ".svg", ".ts", ".txt", ".webmanifest"]);

/** @param {string} folder */
export async function compress(folder) {
  for (const name of (await readdir(folder)).filter((name) => TEXT.has(extname(name)))) {
    const plain = await readFile(join(folder, name));
    const packed = {
      br: brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } }), // 11 is its default
      gz: gzipSync(plain, { level: 9 }),
    };
    for (const [end, bytes] of Object.entries(packed)) {
      if (bytes.length < plain.length) await writeFile(join(folder, `${name}.${end}`), bytes);
    }
  }
}

// The seal as PNG, for those who take no SVG (iOS, and Android's home screen), drawn and encoded here.
import { deflateSync } from "node:zlib";

const RED = [0xb2, 0x33, 0x1c], WHITE = [0xff, 0xff, 0xff];

// The same shape as static/seal.svg, in its 32 units: a speech bubble of lines 2 thick, and three dots.
const BUBBLE = [[8, 9.5], [24, 9.5], [24, 20], [15, 20], [10.5, 24], [10.5, 20], [8, 20], [8, 9.5]];
const DOTS = [[12, 14.75], [16, 14.75], [20, 14.75]];

/**
 * How far a point is from a line.
 * @param {number} x @param {number} y @param {number[]} from @param {number[]} to
 */
function distance(x, y, [fromX, fromY], [toX, toY]) {
  const alongX = toX - fromX, alongY = toY - fromY;
  const along = ((x - fromX) * alongX + (y - fromY) * alongY) / (alongX ** 2 + alongY ** 2);
  const nearest = Math.min(1, Math.max(0, along));
  return Math.hypot(x - fromX - nearest * alongX, y - fromY - nearest * alongY);
}

/**
 * How far a point is outside the square with round corners; negative inside.
 * @param {number} x @param {number} y @param {number} radius
 */
function outsidePaper(x, y, radius) {
  const outX = Math.abs(x - 16) - (16 - radius), outY = Math.abs(y - 16) - (16 - radius);
  return Math.hypot(Math.max(outX, 0), Math.max(outY, 0)) + Math.min(Math.max(outX, outY), 0) - radius;
}

/**
 * How far a point is outside the white; negative inside.
 * @param {number} x @param {number} y
 */
function outsideInk(x, y) {
  const lines = BUBBLE.slice(1).map((to, n) => distance(x, y, BUBBLE[n], to) - 1);
  const dots = DOTS.map(([dotX, dotY]) => Math.hypot(x - dotX, y - dotY) - 1.25);
  return Math.min(...lines, ...dots);
}

/**
 * A square PNG.
 * @param {number} size pixels
 * @param {boolean} full whether the red goes to the edge, because the system cuts the shape itself
 */
export function seal(size, full) {
  const rows = Buffer.alloc(size * (1 + size * 4)); // each row begins with its filter, 0: none
  const units = full ? 32 * 1.15 : 32, shift = (32 - units) / 2; // smaller, so that no round mask cuts the bubble
  // How much of a pixel is covered, from the distance of its middle: the edge is one pixel wide.
  const covered = (/** @type {number} */ outside) => Math.min(1, Math.max(0, 0.5 - outside * size / units));
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const x = shift + (column + 0.5) * units / size, y = shift + (row + 0.5) * units / size;
      const ink = covered(outsideInk(x, y));
      const at = row * (1 + size * 4) + 1 + column * 4;
      for (let n = 0; n < 3; n += 1) rows[at + n] = Math.round(RED[n] + (WHITE[n] - RED[n]) * ink);
      rows[at + 3] = Math.round(255 * (full ? 1 : covered(outsidePaper(x, y, 5))));
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6], 8); // 8 bits, red green blue alpha (PNG, third edition, 11.2.1)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, block("IHDR", head), block("IDAT", deflateSync(rows, { level: 9 })), block("IEND")]);
}

/** @param {string} type @param {Buffer} data */
function block(type, data = Buffer.alloc(0)) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4), check = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/**
 * zlib has it in newer Nodes only.
 * @param {Buffer} data
 */
function crc32(data) {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

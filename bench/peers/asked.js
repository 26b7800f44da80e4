// What a peer is asked on its command line: PORT [--tls CERTIFICATE KEY] [--deflate]
"use strict";
const fs = require("fs");
const http = require("http");
const https = require("https");

const words = process.argv.slice(2);
const tls = words.indexOf("--tls");

exports.port = Number(words[0]);
exports.deflate = words.includes("--deflate");
exports.secure = tls < 0 ? null : { cert: fs.readFileSync(words[tls + 1]), key: fs.readFileSync(words[tls + 2]) };
exports.httpServer = () => (exports.secure ? https.createServer(exports.secure) : http.createServer());

// The peers of one room: a set for each path.
const rooms = new Map();
exports.room = (path) => rooms.get(path) || rooms.set(path, new Set()).get(path);

// /wire: this page's own connection, octet by octet, as the server tells it (docs/wire/wire.md).

import { memory } from "./lite-memory.js";
import { chooseLanguage } from "./lite-words.js";
import { element } from "./lite-rows.js";
import { say } from "./wire-words.js";
import { decoded, head, hex, octets, payload, points, sentences } from "./wire-bits.js";
import { report } from "./wire-report.js";

const query = new URLSearchParams(location.search);
const $ = (id) => document.getElementById(id);
// What can be tried: a word for it, and what is sent.
const TRIES = [
  ["t_hello", "hello"], ["t_han", "你好，世界"], ["t_family", "👩‍👩‍👧‍👦"], ["t_half", "\ud83d"], ["t_json", '{"type":"message","data":"hi"}'],
  ["t_empty", ""], ["t_126", "x".repeat(126)], ["t_64k", "x".repeat(65_536)], ["t_bad", Uint8Array.of(0xc3, 0x28)],
];
const EVENTS = ["message", "enter", "leave", "greeting"];
const CLOSE_AFTER_MS = 2000;

let language = chooseLanguage([query.get("lang"), memory.get("lang"), ...navigator.languages]);
let socket = null;
let entries = [];      // what went over the line: {tell, t, direction, round_ms, node}
let chosen = null;
let announced = null;  // the entry whose frame comes next
let sent_at = [];      // when our messages were sent that have no echo yet
let told = {};         // event -> its rows, one a dialect
let event = "message";
let as_octets = false;
let lamp = "connecting", code = 0;

const word = (key, values) => say(language, key, values);

// --- the connection ---

function connect() {
  const url = new URL("wire", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams({ lang: language, nick: memory.get("nick") || "user1", ...($("deflate").checked ? { deflate: "1" } : {}) }).toString();
  url.hash = "";
  entries = []; chosen = null; announced = null; sent_at = []; told = {};
  $("line").replaceChildren();
  lamp = "connecting";
  const mine = socket = new WebSocket(url);
  mine.binaryType = "arraybuffer";
  mine.onopen = () => { lamp = "on"; showState(); };
  mine.onmessage = ({ data }) => mine === socket && heard(data);
  mine.onclose = (closing) => mine === socket && closed(closing);
  showState();
  showDetail();
  showVoices();
}

function heard(data) {
  if (announced !== null) {   // this is the echo itself; it was told about in the message before
    const sent = sent_at.shift();
    if (sent !== undefined) announced.round_ms = Math.round((performance.now() - sent) * 10) / 10;
    if (chosen === announced) showDetail();
    announced = null;
    return;
  }
  const tell = JSON.parse(data);
  const entry = add(tell, tell.t, tell.type === "frame" ? "to" : "from");
  if (tell.type === "sent" && tell.opcode < 8) announced = entry;
  if (tell.events) {
    Object.assign(told, tell.events);
    if (tell.events.message) event = "message";
    showVoices();
  }
  if (tell.type === "opened" || (tell.type === "frame" && tell.opcode < 8)) choose(entry);
}

function closed({ code: number, reason, wasClean }) {
  lamp = "off"; code = number;
  const last = entries.at(-1)?.t ?? 0;
  add({ type: "closed", code: number, reason, clean: wasClean }, last, "from");
  showState();
}

function send(what) {
  $("trouble").hidden = true;
  if (socket.readyState !== WebSocket.OPEN) return complain("not_open");
  sent_at.push(performance.now());
  socket.send(what);
}

function complain(key) {
  $("trouble").textContent = word(key);
  $("trouble").hidden = false;
}

// --- the line ---

function add(tell, t, direction) {
  const entry = { tell, t, direction };
  const button = element("button", { type: "button", "aria-pressed": "false" });
  button.addEventListener("click", () => { choose(entry); if (innerWidth < 900) $("detail").scrollIntoView({ block: "start" }); $("detail").focus({ preventScroll: true }); });
  entry.node = button;
  entries.push(entry);
  $("line").append(element("li", {}, button));
  label(entry);
  $("line").scrollTop = $("line").scrollHeight;
  return entry;
}

function label(entry) {
  const { tell, t, direction } = entry;
  const way = element("span", { class: direction }, element("span", { "aria-hidden": "true" }, direction === "to" ? "→" : "←"),
    element("span", { class: "vh" }, word(direction === "to" ? "sent_by_you" : "sent_by_server")));
  entry.node.replaceChildren(element("span", { class: "t" }, `${t.toFixed(1)} ms`), way, element("span", { class: "words" }, ...words(tell)));
}

function words(tell) {
  if (tell.type === "opened") return [word("handshake"), element("code", {}, "  101")];
  if (tell.type === "closed" || tell.type === "closing") return [word("closed_line", { code: tell.code ?? "", reason: tell.reason ?? "" })];
  if (tell.type === "enough") return [word("enough")];
  const name = word(`d_${tell.name ?? { 1: "text", 2: "binary", 9: "ping", 10: "pong" }[tell.opcode]}`);
  const text = tell.opcode === 2 || tell.rsv?.[0] ? null : decoded(tell.payload);
  const beginning = text === null ? hex(octets(tell.payload).slice(0, 8)) : [...text].slice(0, 24).join("");
  const wrong = tell.breaks?.length || tell.utf8?.good === false;
  return [name, " ", element("bdi", {}, element("code", {}, beginning)), ...(wrong ? [element("span", { class: "bad" }, " ✕")] : [])];
}

function choose(entry) {
  chosen = entry;
  for (const { node } of entries) node.setAttribute("aria-pressed", String(node === entry.node));
  showDetail();
}

// --- one thing, taken apart ---

function showDetail() {
  const tell = chosen?.tell;
  $("detail-label").textContent = !tell ? word("connecting") : tell.type === "opened" ? word("handshake") : chosen.node.querySelector(".words").textContent;
  if (!tell) { $("anatomy").replaceChildren(); return; }
  $("anatomy").replaceChildren(...(tell.type === "opened" ? handshake(tell) : tell.head ? frame(tell) : farewell(tell)));
}

function handshake(tell) {
  const { key, guid, sha1, accept } = tell.steps;
  const step = (name, value) => element("li", {}, word(name), element("code", {}, value));
  const hidden = tell.hidden.length ? [element("p", { class: "quiet" }, word("masked_headers", { names: tell.hidden.join(", ") }))] : [];
  return [
    element("h3", {}, word("request")), element("pre", {}, tell.request), ...hidden, element("h3", {}, word("answer")), element("pre", {}, tell.answer),
    element("ol", { class: "steps" }, step("step_key", key), step("step_guid", guid), step("step_sha1", sha1.replace(/(..)(?!$)/g, "$1 ")), step("step_accept", accept)),
  ];
}

function frame(tell) {
  const line = (text, kind = null) => element("p", { class: kind }, text);
  const made = [head(tell, word), element("p", { class: "quiet" }, sentences(tell, word).join(" "))];
  for (const rule of tell.breaks ?? []) made.push(line(word("breaks", { what: rule }), "bad"));
  if (tell.utf8) {
    const { good, waiting, at, octets: failing, why } = tell.utf8, values = { n: waiting, at, octets: (failing ?? "").replace(/(..)(?!$)/g, "$1 "), why };
    const key = tell.opcode === 2 ? (good ? "binary_good" : "binary_bad") : good ? (waiting ? "utf8_waiting" : "utf8_good") : "utf8_bad";
    made.push(line(word(key, values), good ? "good" : "bad"));
  }
  if (tell.rtt_ms !== undefined) made.push(line(word("rtt", { ms: tell.rtt_ms }), "good"));
  if (tell.code !== undefined) made.push(line(word("close_code", { code: tell.code, reason: tell.reason })));
  if (chosen.round_ms !== undefined) made.push(line(word("round", { ms: chosen.round_ms }), "good"));
  made.push(...payload(tell, word));
  if (tell.message !== undefined && tell.message !== tell.payload) made.push(element("h3", {}, word("inflated")), element("pre", {}, decoded(tell.message) ?? hex(octets(tell.message))));
  const text = tell.opcode > 2 || octets(tell.head)[0] & 0x40 ? null : decoded(tell.payload);
  if (text !== null) made.push(...points(text, word));
  return made;
}

const farewell = (tell) => [element("p", {}, tell.code === undefined ? word("enough") : word("close_code", { code: tell.code, reason: tell.reason ?? "" }))];

// --- every dialect ---

function showVoices() {
  $("events").replaceChildren(...EVENTS.map((name) => {
    const button = element("button", { type: "button", "aria-pressed": String(name === event) }, word(`e_${name}`));
    button.addEventListener("click", () => { event = name; showVoices(); [...$("events").children][EVENTS.indexOf(name)].focus(); });
    return button;
  }));
  const rows = told[event];
  $("voices").replaceChildren(...(rows ? [element("dl", {}, ...rows.map(voice))] : [element("p", { class: "quiet" }, word("no_message"))]));
}

function voice(row) {
  const shown = row.told.map((text, at) => element("pre", { tabindex: "0", role: "group", "aria-label": row.as },
    ...(row.head ? [element("span", { class: "head" }, `${row.head[at]}  `)] : []), visible(text)));
  return element("div", { class: "voice" }, element("dt", {}, element("b", {}, row.as), element("code", {}, row.path)), element("dd", {}, ...shown));
}

const visible = (text) => text.replaceAll("\x1e", " ⟨1e⟩ ").replace(/\n$/, "⏎");

// --- around it ---

function showState() {
  $("lamp").textContent = word(lamp === "off" ? "closed" : lamp, { code });
  $("lamp").className = `lamp ${lamp}`;
  $("again").hidden = lamp !== "off";
  $("close").hidden = lamp === "off";
}

function translate() {
  document.documentElement.lang = language;
  document.title = word("page");
  for (const node of document.querySelectorAll("[data-words]")) node.textContent = word(node.dataset.words);
  for (const node of document.querySelectorAll("[data-language]")) node.toggleAttribute("aria-current", node.dataset.language === language);
  [...$("tries").children].forEach((button, at) => { button.textContent = word(TRIES[at][0]); });
  entries.forEach(label);
  showState();
  showDetail();
  showVoices();
}

function copy() {
  const about = { date: new Date().toISOString(), page: location.origin + location.pathname, browser: navigator.userAgent, state: socket.readyState };
  const text = report(entries, about);
  const by_hand = () => { $("report-text").value = text; $("copying").showModal(); $("report-text").select(); };
  if (!navigator.clipboard) { by_hand(); return; }   // without https there is none
  navigator.clipboard.writeText(text).then(() => {
    $("report").textContent = word("copied");
    setTimeout(() => { $("report").textContent = word("report"); }, CLOSE_AFTER_MS);
  }, by_hand);
}

for (const [, what] of TRIES) {
  const button = element("button", { type: "button" });
  button.addEventListener("click", () => send(what));
  $("tries").append(button);
}
$("composer").addEventListener("submit", (submitting) => {
  submitting.preventDefault();
  const typed = $("say").value;
  if (!as_octets) { send(typed); return; }
  const digits = typed.replace(/[\s,:]|0x/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) { complain("ask_hex"); return; }
  send(Uint8Array.from(octets(digits)));
});
for (const [id, wants] of [["as-text", false], ["as-octets", true]]) {
  $(id).addEventListener("click", () => {
    as_octets = wants;
    $("as-text").setAttribute("aria-pressed", String(!wants));
    $("as-octets").setAttribute("aria-pressed", String(wants));
    $("say").focus();
  });
}
$("deflate").addEventListener("change", () => { socket.close(1000); connect(); });
$("again").addEventListener("click", () => { connect(); $("say").focus(); });
$("close").addEventListener("click", () => { socket.close(1000, "closed on /wire"); $("say").focus(); });
$("report").addEventListener("click", copy);
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => { language = button.dataset.language; memory.set("lang", language); translate(); });
}
translate();
connect();
addEventListener("pageshow", (shown) => shown.persisted && connect());

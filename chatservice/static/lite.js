// A small chat page without any library: name, room, history, who is there, and a connection that mends itself.

import { memory } from "./lite-memory.js";
import { chooseLanguage, say } from "./lite-words.js";
import { Connection } from "./lite-connection.js";
import { Outbox } from "./lite-outbox.js";
import { Rows, element, seal } from "./lite-rows.js";

const query = new URLSearchParams(location.search);
const room = query.get("room") || "lobby";
const $ = (id) => document.getElementById(id);

let language = chooseLanguage([query.get("lang"), memory.get("lang"), ...navigator.languages]);
let nick = memory.get("nick") || "";
let me = null;
let unseen = 0;
let below = 0;
const members = new Map();
const rows = new Rows($("rows"), language);
const outbox = new Outbox(
  (text) => connection.isOpen && me !== null && (connection.send(text), true),
  showPending,
);
const connection = new Connection(() => ({ room, nick, lang: language }), { state: showState, frame: take, lost });

function translate() {
  document.documentElement.lang = language;
  rows.language = language;
  for (const node of document.querySelectorAll("[data-words]")) node.textContent = say(language, node.dataset.words);
  for (const node of document.querySelectorAll("[data-words-placeholder]")) node.placeholder = say(language, node.dataset.wordsPlaceholder);
  $("scroller").setAttribute("aria-label", say(language, "log"));
  $("text").placeholder = say(language, "write_to", { room });
  $("door-room").textContent = room;
  $("room-name").textContent = room;
  showTitle();
}

// --- frames ---

function take(frame) {
  const stuck = atBottom();
  if (frame.type === "enter" && frame.you) arrived(frame);
  else if (frame.type === "enter") { members.set(frame.user.id, frame.user.nick); rows.notice(frame.data, "enter"); }
  else if (frame.type === "leave") { members.delete(frame.user.id); rows.notice(frame.data, "leave"); }
  else if (frame.seq !== undefined && !frame.notice) took(frame, stuck);
  else noticed(frame);
  showPeople(frame.n);
  if (stuck) toBottom();
}

function arrived(frame) {
  me = frame.user;
  members.clear();
  for (const user of frame.members) members.set(user.id, user.nick);
  $("own-nick").textContent = me.nick;
  $("earlier").hidden = rows.first <= 1;
  $("empty").hidden = frame.seq > 0;
  for (const words of atTheDoor) rows.notice(words);
  atTheDoor = [];
  outbox.flush();
}

function took(frame, stuck) {
  $("empty").hidden = true;
  const mine = me !== null && frame.from.id === me.id;
  if (mine || (me === null && frame.from.nick === nick)) outbox.confirm(frame.text, mine);
  const row = rows.message(frame);
  if (row === null || me === null) return;
  if (mine) { toBottom(); return; }
  if (document.hidden) { unseen += 1; showTitle(); }
  if (!stuck && !row.nextElementSibling) { below += 1; showBelow(); }
}

let atTheDoor = [];   // what was said about our name, before the history that would bury it

// One page, one room: another room is another address, so that reload and "back" do what one expects.
function visit(name) {
  const url = new URL(location.href);
  url.searchParams.set("room", name);
  location.assign(url);
}

function noticed(frame) {
  if (me === null && frame.code === "no_room") { location.replace(location.pathname); return; }
  if (me === null && (frame.code === "nick_taken" || frame.code === "bad_request")) { atTheDoor.push(frame.data); return; }
  if (frame.code === "erased") return;   // it only holds a number
  if (frame.code === "renamed") {
    members.set(frame.user.id, frame.user.nick);
    if (me && frame.user.id === me.id) { me = frame.user; remember(me.nick); }
  } else if (frame.code === "members") {
    for (const user of frame.members) members.set(user.id, user.nick);
    if (!asked) return;   // the answer to our own sign-of-life question
    asked -= 1;
  }
  rows.notice(frame.data);
}

function lost(reason, valid) {
  rows.clear(reason === "truncated" ? valid : 0);
  rows.notice(say(language, "skipped"));
}

function remember(name) {
  nick = name;
  memory.set("nick", name);
  if (query.has("nick")) {   // the address must not bring the old name back
    const url = new URL(location.href);
    url.searchParams.delete("nick");
    history.replaceState(null, "", url);
  }
  $("own-nick").textContent = name;
}

// --- what is shown ---

let countdown = 0;
function showState(state, waitMs) {
  clearInterval(countdown);
  const bar = $("state");
  if (state === "online") { bar.hidden = true; return; }
  if (state === "waiting") { me = null; outbox.broken(); }
  const until = Date.now() + waitMs;
  const words = () => {
    const s = Math.ceil((until - Date.now()) / 1000);
    // A countdown below five seconds only flickers.
    const key = state === "connecting" ? "connecting" : waitMs >= 5000 && s > 0 ? "lost_retry" : "lost";
    $("state-words").textContent = say(language, key, { s });
  };
  words();
  $("retry").hidden = state === "connecting";
  countdown = setInterval(words, 1000);
  setTimeout(() => { bar.hidden = connection.isOpen && me !== null; }, 1500);   // a blink is no news
}

function showPeople(n) {
  const list = [...members.entries()].sort((a, b) => a[1].localeCompare(b[1], language));
  $("people-count").textContent = String(n ?? list.length);
  $("people-list").replaceChildren(...list.map(([id, name]) =>
    element("li", {}, seal(name), element("bdi", {}, name), me && id === me.id ? ` ${say(language, "you")}` : "")));
}

function showPending(items) {
  const stuck = atBottom();
  $("pending").replaceChildren(...items.map((item) => {
    const row = element("li", { class: `row pending ${item.state}`, "data-id": item.id },
      seal(nick || "?"), element("div", { class: "text", dir: "auto" }, item.text),
      element("div", { class: "fate" }, say(language, item.state === "waiting" && connection.isOpen ? "sending" : item.state)));
    if (item.state === "unsure") {
      for (const [key, act] of [["again", () => outbox.again(item.id)], ["drop", () => outbox.drop(item.id)]]) {
        const button = element("button", { type: "button", class: "plain" }, say(language, key));
        button.addEventListener("click", act);
        row.lastElementChild.append(" · ", button);
      }
    }
    return row;
  }));
  if (stuck) toBottom();
}

function showTitle() {
  document.title = `${unseen ? `(${unseen}) ` : ""}${room} · chat`;
}

function showBelow() {
  $("newest").hidden = below === 0;
  $("newest").textContent = say(language, "new_messages", { n: below });
}

const scroller = $("scroller");
function atBottom() { return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= 48; }
function toBottom() { scroller.scrollTop = scroller.scrollHeight; below = 0; showBelow(); }

let wasAtBottom = true;
scroller.addEventListener("scroll", () => { wasAtBottom = atBottom(); if (wasAtBottom) { below = 0; showBelow(); } }, { passive: true });
new ResizeObserver(() => { if (wasAtBottom) toBottom(); }).observe(scroller);
$("newest").addEventListener("click", toBottom);
$("retry").addEventListener("click", () => connection.retryNow());
document.addEventListener("visibilitychange", () => { if (!document.hidden) { unseen = 0; showTitle(); } });

// --- what is written ---

// Enter that belongs to an input method chooses a word; Safari sends it after the composition's end, with 229.
const composing = (event) => event.isComposing || event.keyCode === 229;
const touch = matchMedia("(pointer: coarse)").matches;
let asked = 0;

function submit() {
  const text = $("text").value;
  if (!text.trim()) return;
  const join = /^\/join\s+(.+)$/.exec(text.trim());
  if (join) { visit(join[1]); return; }
  if (text.startsWith("/") && !text.startsWith("//")) {
    if (!connection.isOpen) return;   // a command is of the moment; it stays in the box
    if (/^\/who\b/.test(text)) asked += 1;
    connection.send(text);
  } else outbox.add(text);
  $("text").value = "";
  toBottom();
}

$("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); $("text").focus(); });
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !touch && !composing(event)) { event.preventDefault(); submit(); }
});
$("earlier").addEventListener("click", () => { connection.send("/history 200"); $("earlier").hidden = true; });
$("people-button").addEventListener("click", () => {
  const open = $("chat").classList.toggle("people-open");
  $("people-button").setAttribute("aria-expanded", String(open));
});
$("rename").addEventListener("click", () => {
  const wish = prompt(say(language, "ask_name"), me?.nick ?? nick);
  if (wish?.trim() && connection.isOpen) connection.send(`/nick ${wish.trim()}`);
});

// --- the door ---

function goIn() {
  $("door").hidden = true;
  $("chat").hidden = false;
  connection.open();
  if (!touch) $("text").focus();
}

$("door-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const wish = $("door-nick").value.trim();
  if (wish) remember(wish);
  goIn();
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => { language = button.dataset.language; memory.set("lang", language); translate(); });
}

translate();
if (nick || query.has("nick")) { nick = query.get("nick") || nick; goIn(); }
else { $("door").hidden = false; $("door-nick").focus(); }

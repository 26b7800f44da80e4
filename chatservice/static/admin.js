// /admin/: how the house stands, every two seconds, and what can be done to a person (docs/admin.md).

import { memory } from "./lite-memory.js";
import { chooseLanguage } from "./lite-words.js";
import { element } from "./lite-rows.js";
import { say } from "./admin-words.js";
import { bytes, duration, name, spark, table, tag, tile } from "./admin-tables.js";

const query = new URLSearchParams(location.search);
const $ = (id) => document.getElementById(id);
const ACTIONS = ["kick", "mute", "unmute", "ban", "unban"], LASTING = ["mute", "ban"], TIMES = [600, 3600, 86_400, 604_800, 0];
const KEPT = 60, AGAIN_MS = 2000;

let language = chooseLanguage([query.get("lang"), memory.get("lang"), ...navigator.languages]);
let about = null, state = null, source = null, target = null, again = 0;
let lamp = "waiting";
const rates = [], lags = [];

const word = (key, values) => say(language, key, values);

// --- signing in ---

async function post(path, fields) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });
  return { status: answer.status, ...(await answer.json()) };
}

function showDoor(key = null, values = {}) {
  stop();
  about = state = null;
  $("house").hidden = true; $("out").hidden = true; $("me").textContent = "";
  $("door").hidden = false;
  $("wrong").hidden = key === null;
  if (key !== null) $("wrong").textContent = word(key, values);
  $("name").focus();
  showLamp("waiting");
}

$("door").addEventListener("submit", async (submitting) => {
  submitting.preventDefault();
  try {
    const told = await post("../v1/login", { name: $("name").value, password: $("password").value, cookie: true });
    $("password").value = "";
    if (told.type === "ok") look();
    else if (told.retry_ms) showDoor("slow_down", { s: Math.ceil(told.retry_ms / 1000) });
    else showDoor("wrong");
  } catch { showDoor("broken", { code: "?" }); }
});

$("out").addEventListener("click", async () => {
  await post("../v1/logout", {}).catch(() => {});
  showDoor();
});

// --- looking on ---

async function look() {
  let answer;
  try { answer = await (await fetch("api/me")).json(); } catch { later(); return; }
  if (!answer.you) { showDoor(); return; }
  if (!answer.you.looks) { showDoor("not_keeper"); return; }
  stop();
  source = new EventSource("api/live");
  source.addEventListener("about", ({ data }) => { about = JSON.parse(data); });
  source.addEventListener("state", ({ data }) => { state = JSON.parse(data); took(); });
  source.onerror = () => { stop(); later(); };   // a browser does not tell why; asking does
}

function later() {
  showLamp("off");
  clearTimeout(again);
  again = setTimeout(look, AGAIN_MS);
}

function stop() {
  clearTimeout(again);
  source?.close();
  source = null;
}

function took() {
  for (const [list, value] of [[rates, state.per_s], [lags, state.lag_ms]]) { list.push(value); if (list.length > KEPT) list.shift(); }
  $("door").hidden = true; $("house").hidden = false; $("out").hidden = false;
  showLamp("on");
  show();
}

function showLamp(which) {
  if (lamp === which && $("lamp").textContent) return;
  lamp = which;
  $("lamp").className = `lamp ${lamp}`;
  $("lamp").textContent = word(lamp);
}

// --- what there is to see ---

function show() {
  if (state === null || about === null) return;
  $("me").textContent = word("signed", { nick: about.you.nick, role: about.you.role });
  $("only").hidden = about.you.acts;
  const refused = Object.entries(state.counted).filter(([key]) => key.startsWith("refused")).reduce((sum, [, number]) => sum + number, 0);
  $("tiles").replaceChildren(
    tile(word("open"), state.connections.open), tile(word("people"), state.people.n), tile(word("rooms"), state.rooms.n),
    tile(word("per_s"), state.per_s.toFixed(1), spark(rates)), tile(word("lag"), `${state.lag_ms} ms`, spark(lags)),
    tile(word("memory"), bytes(state.memory.resident)), tile(word("up"), duration(state.up_s)), tile(word("refused"), refused),
  );
  showPeople();
  fill("rooms", [["room", ({ name: room, private: closed, locked }) => [name(room), ...(closed ? [" ", tag(word("private"))] : []), ...(locked ? [" ", tag(word("locked"))] : [])], "words"],
    ["here", ({ n }) => n, "number"], ["seq", ({ seq }) => seq, "number"], ["state", (room) => room.state]], state.rooms.list, rest(state.rooms), state.rooms.direct ? word("direct", { n: state.rooms.direct }) : null);
  fill("connections", [["dialect", ({ dialect }) => dialect], ["n", ({ n }) => n, "number"], ["queue", ({ waiting }) => bytes(waiting), "number"],
    ["most", ({ most }) => bytes(most), "number"], ["lagging", ({ lagging }) => lagging, "number"]], state.connections.by_dialect);
  fill("trouble", [["when", ({ at }) => new Date(at * 1000).toLocaleString(language)], ["words", ({ words }) => words, "words"]], [...state.complaints].reverse());
  fill("settings", [["setting", ({ name: setting }) => element("code", {}, setting)], ["value", ({ value }) => value, "words"], ["source", (setting) => word(`s_${setting.source}`)]], about.settings);
}

const rest = ({ n, list }) => n > list.length ? word("more", { n: n - list.length }) : null;

function fill(id, columns, rows, ...notes) {
  const shown = rows.length ? table(word(id), columns.map(([key, ...more]) => [word(key), ...more]), rows) : element("p", { class: "quiet" }, word("nothing"));
  $(id).replaceChildren(shown, ...notes.filter(Boolean).map((note) => element("p", { class: "quiet" }, note)));
  reach(id);
}

/** What is wider than the window scrolls, and then the keyboard must get there too. */
function reach(id) {
  const scrolls = $(id).scrollWidth > $(id).clientWidth;
  for (const [key, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", word(id)]]) {
    if (scrolls) $(id).setAttribute(key, value); else $(id).removeAttribute(key);
  }
}

addEventListener("resize", () => ["people", "rooms", "connections", "trouble", "settings"].forEach(reach));

function showPeople() {
  const focused = document.activeElement?.dataset?.user;   // it is drawn anew every two seconds
  const columns = [["nick", ({ nick }) => name(nick)], ["role", ({ role, guest }) => tag(guest ? word("guest") : role, role)], ["conns", ({ conns }) => conns, "number"],
    ["in_rooms", ({ rooms }) => name(rooms.join(", ")), "words"], ["over", ({ dialects }) => dialects.join(", ")], ["queue", ({ waiting }) => bytes(waiting), "number"]];
  if (about.you.acts) columns.push(["what", button]);
  fill("people", columns, state.people.list, rest(state.people));
  if (focused) $("people").querySelector(`[data-user="${CSS.escape(focused)}"]`)?.focus();
}

function button(person) {
  const made = element("button", { type: "button", "data-user": person.id, "aria-label": `${word("act")} ${person.nick}` }, word("act"));
  made.disabled = !person.rooms.length;
  made.addEventListener("click", () => showActing(person));
  return made;
}

// --- what can be done ---

const option = (value, words) => element("option", { value }, words);

function showActing(person) {
  target = person;
  $("acting-label").textContent = word("acting", { nick: person.nick });
  $("where").replaceChildren(...person.rooms.map((room) => option(room, room)));
  $("what").replaceChildren(...ACTIONS.map((action) => option(action, word(action))));
  $("how-long").replaceChildren(...TIMES.map((time) => option(time, word(`for_${time}`))));
  $("reason").value = ""; $("failed").hidden = true;
  chosen();
  $("acting").showModal();
}

function chosen() {
  const lasts = LASTING.includes($("what").value);
  $("how-long").parentElement.hidden = !lasts;
  $("do").textContent = word($("what").value);
}

$("what").addEventListener("change", chosen);
$("cancel").addEventListener("click", () => $("acting").close());
$("act").addEventListener("submit", async (submitting) => {
  submitting.preventDefault();
  const action = $("what").value, for_s = LASTING.includes(action) ? Number($("how-long").value) : 0;
  let told;
  try { told = await post(`api/mod?lang=${language}`, { room: $("where").value, action, user: target.id, for_s, reason: $("reason").value }); } catch { told = {}; }
  if (told.type === "ok") { $("acting").close(); return; }
  $("failed").textContent = told.message ?? word("broken", { code: told.code ?? told.status ?? "?" });
  $("failed").hidden = false;
});

// --- around it ---

function translate() {
  document.documentElement.lang = language;
  document.title = word("page");
  for (const node of document.querySelectorAll("[data-words]")) node.textContent = word(node.dataset.words);
  for (const node of document.querySelectorAll("[data-language]")) node.toggleAttribute("aria-current", node.dataset.language === language);
  $("lamp").textContent = word(lamp);
  show();
}

for (const press of document.querySelectorAll("[data-language]")) {
  press.addEventListener("click", () => { language = press.dataset.language; memory.set("lang", language); translate(); });
}
translate();
look();

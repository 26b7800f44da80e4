// /admin/: how the house stands, every two seconds, and what can be done to a person (docs/admin.md).

import { memory } from "./lite-memory.js";
import { chooseLanguage } from "./lite-words.js";
import { element } from "./lite-rows.js";
import { say } from "./admin-words.js";
import { bytes, duration, name, names, spark, table, tag, tile } from "./admin-tables.js";

const query = new URLSearchParams(location.search);
const $ = (id) => document.getElementById(id);
const ACTIONS = ["kick", "mute", "unmute", "ban", "unban"], LASTING = ["mute", "ban"], TIMES = [600, 3600, 86_400, 604_800, 0];
const KEPT = 60, AGAIN_MS = 2000, FEW = 20, AWAY_S = 6;

let language = chooseLanguage([query.get("lang"), memory.get("lang"), ...navigator.languages]);
let about = null, state = null, source = null, target = null, again = 0;
let lamp = "waiting";
const rates = [], lags = [], opened = new Set();

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
  const { all } = figures();
  for (const [list, value] of [[rates, all.per_s], [lags, all.lag_ms]]) { list.push(value); if (list.length > KEPT) list.shift(); }
  $("door").hidden = true; $("house").hidden = false; $("out").hidden = false;
  showLamp("on");
  if (!held) show();
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
  $("me").replaceChildren(name(word("signed", { nick: about.you.nick, role: about.you.role })));
  $("only").hidden = about.you.acts;
  const { all, connections } = figures();
  $("tiles").replaceChildren(
    tile(word("open"), all.connections), tile(word("people"), all.people),
    tile(word(state.workers ? "rooms_here" : "rooms"), state.rooms.n), tile(word("per_s"), all.per_s.toFixed(1), spark(rates)),
    tile(word(state.workers ? "lag_most" : "lag"), `${all.lag_ms} ms`, spark(lags)), tile(word("memory"), bytes(all.memory)), tile(word("up"), duration(state.up_s)), tile(word("refused"), all.refused),
  );
  showWorkers();
  showPeople();
  fill("rooms", [["room", ({ name: room, private: closed, locked }) => [name(room), ...(closed ? [" ", tag(word("private"))] : []), ...(locked ? [" ", tag(word("locked"))] : [])], "title"],
    ["here", ({ n }) => n, "number"], ["seq", ({ seq }) => seq, "number"], ["state", (room) => room.state]], state.rooms.list, rest(state.rooms), state.rooms.direct ? word("direct", { n: state.rooms.direct }) : null, ofOne());
  fill("connections", [["dialect", ({ dialect }) => dialect, "title"], ["n", ({ n }) => n, "number"], ["queue", ({ waiting }) => bytes(waiting), "number"],
    ["most", ({ most }) => bytes(most), "number"], ["lagging", ({ lagging }) => lagging, "number"]], connections);
  fill("trouble", [["when", ({ at }) => new Date(at * 1000).toLocaleString(language)], ["words", ({ words }) => words, "words"]], [...state.complaints].reverse(), ofOne());
  fill("settings", [["setting", ({ name: setting }) => element("code", {}, setting), "title"], ["value", ({ value }) => value, "words"], ["source", (setting) => word(`s_${setting.source}`)]], saidFirst(about.settings));
}

/** Of all workers, or of the one process that there is. */
function figures() {
  if (state.workers) return { all: state.all, connections: state.all.by_dialect };
  const refused = Object.entries(state.counted).filter(([key]) => key.startsWith("refused")).reduce((sum, [, number]) => sum + number, 0);
  const { connections, people, per_s, lag_ms, memory } = state;
  return { all: { connections: connections.open, people: people.n, per_s, lag_ms, memory: memory.resident, refused }, connections: connections.by_dialect };
}

const rest = ({ n, list }) => n > list.length ? word("more", { n: n - list.length }) : null;
const called = ({ worker, host, pid }) => worker || `${host}:${pid ?? "?"}`;
const ofOne = () => state.workers ? word("w_one", { worker: called(state.workers.find((one) => one.state === "here")) }) : null;
const saidFirst = (settings) => [...settings].sort((one, other) => (one.source === "default") - (other.source === "default"));

function showWorkers() {
  $("workers").parentElement.hidden = !state.workers;
  if (!state.workers) return;
  const figure = (key, shape = String) => (worker) => worker[key] === null ? "–" : shape(worker[key]);
  fill("workers", [["worker", (one) => [name(called(one)), ...(one.state === "lives" ? [] : [" ", tag(word(`w_${one.state}`), one.state)]), ...(one.worker ? [element("span", { class: "quiet where" }, name(`${one.host}:${one.pid ?? "?"}`))] : [])], "title"],
    ["since", ({ state: how, age_s }) => how === "here" ? word("now") : word("ago", { s: duration(age_s) })],
    ["open", figure("connections"), "number"],
    ["people", figure("people"), "number"], ["rate", figure("per_s", (rate) => rate.toFixed(1)), "number"], ["queue", figure("waiting", bytes), "number"],
    ["lag", figure("lag_ms", (ms) => `${ms} ms`), "number"], ["memory", figure("memory", bytes), "number"], ["up", figure("up_s", duration), "number"],
    ["over", ({ by_dialect }) => names(by_dialect.map(({ dialect, n }) => `${dialect} ${n}`)), "words"]],
  state.workers, { kind: ({ state: how }) => how === "here" || how === "lives" ? null : "past" }, word("w_sums", { n: state.all.workers }));
  const { as_of_s: s } = state.all;
  if (s === null || s > AWAY_S) $("workers").append(element("p", { class: "bad" }, word("w_away", { s: s === null ? "?" : duration(s) })));
}

/** @param notes what stands below the table, or how it is (`kind`). */
function fill(id, columns, rows, ...notes) {
  const { kind } = notes.find((note) => note?.kind) ?? {}, few = rows.length > FEW && !opened.has(id);
  const made = element("div", {}, rows.length ? table(word(id), columns.map(([key, ...more]) => [word(key), ...more]), few ? rows.slice(0, FEW) : rows, kind) : element("p", { class: "quiet" }, word("nothing")));
  if (rows.length > FEW) made.append(element("button", { type: "button", "data-key": `all ${id}`, "data-all": id, "aria-expanded": String(!few) }, few ? word("all", { n: rows.length }) : word("fewer")));
  made.append(...notes.filter((note) => typeof note === "string").map((note) => element("p", { class: "quiet" }, note)));
  const { anchorNode, isCollapsed } = getSelection();
  if (!isCollapsed && $(id).contains(anchorNode)) return;   // somebody is about to copy something
  const { childNodes: before } = $(id);
  if (before.length === made.childNodes.length && [...before].every((node, at) => node.isEqualNode(made.childNodes[at]))) return;
  const focused = $(id).contains(document.activeElement) ? document.activeElement.dataset.key : null;   // it is drawn anew every two seconds
  $(id).replaceChildren(...made.childNodes);
  if (focused) $(id).querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  reach(id);
}

$("house").addEventListener("click", ({ target: pressed }) => {
  const { all, user } = pressed.closest("button")?.dataset ?? {};
  const person = user && state.people.list.find(({ id }) => id === user);
  if (person) showActing(person);
  if (!all) return;
  if (!opened.delete(all)) opened.add(all);
  show();
});

/** What is wider than the window scrolls, and then the keyboard must get there too. */
function reach(id) {
  const scrolls = $(id).scrollWidth > $(id).clientWidth;
  for (const [key, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", word(id)]]) {
    if (scrolls) $(id).setAttribute(key, value); else $(id).removeAttribute(key);
  }
}

addEventListener("resize", () => ["workers", "people", "rooms", "connections", "trouble", "settings"].forEach(reach));

// What is drawn anew between press and release is not pressed.
let held = false;
$("house").addEventListener("pointerdown", ({ button, isPrimary }) => { held ||= button === 0 && isPrimary; });
// Where a menu opens at the press, or another window comes before this one, the release is not ours to hear.
for (const end of ["pointerup", "pointercancel", "contextmenu", "blur", "visibilitychange"]) addEventListener(end, () => { if (held) setTimeout(() => { held = false; show(); }); });

function showPeople() {
  const columns = [["nick", ({ nick, role, guest }) => [name(nick), " ", tag(guest ? word("guest") : role, role)], "title"], ["conns", ({ conns }) => conns, "number"],
    ["over", ({ dialects }) => dialects.join(", ")], ["queue", ({ waiting }) => bytes(waiting), "number"], ["in_rooms", ({ rooms }) => names(rooms), "words"]];
  if (about.you.acts) columns.push(["what", button, "act"]);
  fill("people", columns, state.people.list, rest(state.people), ofOne());
}

function button({ id, nick, rooms }) {
  return element("button", { type: "button", "data-key": `user ${id}`, "data-user": id, "aria-label": `${word("act")} ${nick}`, disabled: where(rooms).length ? null : "" }, word("act"));
}

// --- what can be done ---

const option = (value, words) => element("option", { value }, words);

// Who is banned is in no such room any more, and that is where it is lifted.
const where = (rooms) => [...new Set([...rooms, ...state.rooms.list.map(({ name: room }) => room)])];

function showActing(person) {
  target = person;
  $("acting-label").replaceChildren(name(word("acting", { nick: person.nick })));
  $("where").replaceChildren(...where(person.rooms).map((room) => option(room, room)));
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

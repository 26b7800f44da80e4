import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SOURCE = readFileSync(new URL("../worker/sw.js", import.meta.url), "utf8");
const SCOPE = "https://chat.example/tea/";
const SHELL = ["app/app.AA.js", "app/app.BB.css"];
const FOR_EVER = { headers: { "cache-control": "public, max-age=31536000, immutable" } };

/** A browser around the worker: its caches, a network that the test writes, timers turned by hand. */
class Browser {
  caches = new Map();
  network = new Map();
  asked = [];
  timers = [];
  skipped = 0;
  claimed = 0;
  #listeners = new Map();

  constructor(build = "1.0-aa") {
    const scope = {
      addEventListener: (type, run) => this.#listeners.set(type, run),
      registration: { scope: SCOPE },
      skipWaiting: async () => { this.skipped += 1; },
      clients: { claim: async () => { this.claimed += 1; } },
    };
    vm.runInNewContext(SOURCE, {
      self: scope, BUILD: build, SHELL, URL, Request, Promise, Set, Error,
      setTimeout: (run, ms, value) => this.timers.push({ run: () => run(value), ms }),
      fetch: (request) => this.fetch(request),
      caches: {
        open: async (name) => this.#open(name),
        keys: async () => [...this.caches.keys()],
        delete: async (name) => this.caches.delete(name),
        match: async (url, { cacheName }) => this.caches.get(cacheName)?.get(url)?.clone(),
      },
    });
  }

  #open(name) {
    if (!this.caches.has(name)) this.caches.set(name, new Map());
    const kept = this.caches.get(name);
    return {
      put: async (url, answer) => { kept.set(url, answer); },
      addAll: async (urls) => {
        for (const url of urls) {
          const answer = await this.fetch({ url });
          if (!answer.ok) throw new TypeError(url);
          kept.set(url, answer);
        }
      },
    };
  }

  async fetch({ url }) {
    this.asked.push(url);
    const answer = this.network.get(url);
    if (answer === undefined) throw new TypeError("Failed to fetch");
    return answer instanceof Promise ? answer : answer.clone();
  }

  /** What the network has: by address below the scope. */
  serves(pages) {
    this.network = new Map(Object.entries(pages).map(([path, answer]) => [new URL(path, SCOPE).href, answer]));
  }

  async tell(type) {
    let work;
    this.#listeners.get(type)({ waitUntil: (promise) => { work = promise; } });
    await work;
  }

  /** @returns {Promise<string> | undefined} the body; undefined when the worker leaves it to the browser */
  ask(path, { mode = "cors", method = "GET" } = {}) {
    let answer;
    const request = { url: new URL(path, SCOPE).href, mode, method };
    this.#listeners.get("fetch")({ request, respondWith: (promise) => { answer = promise; } });
    return answer?.then((found) => found.text());
  }

  kept(name) {
    return [...this.caches.get(name).keys()].map((url) => url.replace(SCOPE, "/"));
  }
}

const whole = () => ({
  "./": new Response('<meta content="1.0-aa">'),
  "app/app.AA.js": new Response("js", FOR_EVER),
  "app/app.BB.css": new Response("css", FOR_EVER),
});

async function installed(...more) {
  const browser = new Browser(...more);
  browser.serves(whole());
  await browser.tell("install");
  await browser.tell("activate");
  return browser;
}

test("it keeps the page and what that needs at once, under the name of its build", async () => {
  const browser = await installed();
  assert.deepEqual([...browser.caches.keys()], [`chat ${SCOPE} 1.0-aa`]);
  assert.deepEqual(browser.kept(`chat ${SCOPE} 1.0-aa`), ["/", "/app/app.AA.js", "/app/app.BB.css"]);
  assert.deepEqual([browser.skipped, browser.claimed], [1, 1]);
});

test("it does not begin with the page of another build, or without one of the files", async () => {
  for (const [path, answer] of [
    ["./", new Response('<meta content="1.0-bb">')],
    ["./", new Response("1.0-aa", { status: 502 })],
    ["app/app.AA.js", new Response("", { status: 404 })],
  ]) {
    const browser = new Browser();
    browser.serves({ ...whole(), [path]: answer });
    await assert.rejects(browser.tell("install"));
    assert.equal(browser.skipped, 0);
  }
});

test("the page comes from the network as long as there is one", async () => {
  const browser = await installed();
  browser.serves({ "./?room=den": new Response("newer") });
  assert.equal(await browser.ask("./?room=den", { mode: "navigate" }), "newer");
});

test("without a network, or where a proxy says that nobody answers, it is what was kept", async () => {
  const browser = await installed();
  for (const answer of [{}, ...[502, 503, 504].map((status) => ({ "./?room=den": new Response("", { status }) }))]) {
    browser.serves(answer);
    assert.equal(await browser.ask("./?room=den", { mode: "navigate" }), '<meta content="1.0-aa">');
  }
  browser.serves({ "./": new Response("our own words", { status: 404 }) });
  assert.equal(await browser.ask("./", { mode: "navigate" }), "our own words");
});

test("a network that answers nothing is none after five seconds", async () => {
  const browser = await installed();
  browser.serves({ "./": new Promise(() => {}) });
  const asked = browser.ask("./", { mode: "navigate" });
  assert.equal(browser.timers[0].ms, 5_000);
  browser.timers[0].run();
  assert.equal(await asked, '<meta content="1.0-aa">');
});

test("what was never kept fails as it would without a worker", async () => {
  const browser = new Browser();
  await assert.rejects(browser.ask("./", { mode: "navigate" }), /Failed to fetch/);
});

test("files whose names tell their content are asked for once", async () => {
  const browser = await installed();
  browser.asked = [];
  assert.equal(await browser.ask("app/app.AA.js"), "js");
  assert.deepEqual(browser.asked, []);
  browser.serves({ "app/emoji.CC.js": new Response("lazy", FOR_EVER), "app/LICENSES.txt": new Response("all") });
  for (let time = 0; time < 2; time += 1) {
    assert.equal(await browser.ask("app/emoji.CC.js"), "lazy");
    assert.equal(await browser.ask("app/LICENSES.txt"), "all");
  }
  assert.deepEqual(browser.asked.map((url) => url.replace(SCOPE, "")), ["app/emoji.CC.js", "app/LICENSES.txt", "app/LICENSES.txt"]);
});

test("what anybody said never comes through it", async () => {
  const browser = await installed();
  for (const path of ["api/rooms/lobby/events", "v1", "socket.io/?EIO=4", "client.js", "sw.js", "manifest.webmanifest", "static/lite.js"]) {
    assert.equal(browser.ask(path), undefined, path);
  }
  for (const path of ["lite", "api/rooms/lobby/export", "?nosw", "../", "https://other.example/tea/"]) {
    assert.equal(browser.ask(path, { mode: "navigate" }), undefined, path);
  }
  assert.equal(browser.ask("./"), undefined);
  assert.equal(browser.ask("./", { mode: "navigate", method: "POST" }), undefined);
  assert.equal(browser.ask("../app/app.AA.js"), undefined);
});

test("a new build forgets what the old one kept, and nobody else's", async () => {
  const browser = new Browser();
  browser.caches = new Map([[`chat ${SCOPE} 0.9-zz`, new Map()], ["chat https://chat.example/ 0.9-zz", new Map()], ["shop", new Map()]]);
  browser.serves(whole());
  await browser.tell("install");
  await browser.tell("activate");
  assert.deepEqual([...browser.caches.keys()], ["chat https://chat.example/ 0.9-zz", "shop", `chat ${SCOPE} 1.0-aa`]);
});

// The page when there is no network. It is asked for the page and for files whose names tell their content, and for
// nothing else: what anybody said never comes through here.

/** @type {string} which build this belongs to; the build script fills it in */
const build = BUILD;
/** @type {string[]} what the page needs at once */
const shell = SHELL;
const PATIENCE_MS = 5_000; // a network that is there in name only
const AWAY = new Set([502, 503, 504]); // what a proxy says while the service restarts

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const { scope } = worker.registration;
const family = `chat ${scope} `; // several chats may share an origin
const cacheName = family + build;
const page = new URL("./", scope).href;
const assets = new URL("app/", scope).href;

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET") return;
  if (request.mode === "navigate" && url.origin + url.pathname === page && !url.searchParams.has("nosw")) {
    event.respondWith(freshPage(request));
  } else if (url.href.startsWith(assets)) {
    event.respondWith(asset(request));
  }
});

async function install() {
  const cache = await caches.open(cacheName);
  const answer = await fetch(new Request(page, { cache: "reload" }));
  // A page of another build would ask for files that are not here; the browser tries again later.
  if (!answer.ok || !(await answer.clone().text()).includes(build)) throw new Error("the page is of another build");
  await cache.put(page, answer);
  await cache.addAll(shell.map((path) => new URL(path, scope).href));
  await worker.skipWaiting();
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith(family) && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** @param {Request} request */
async function freshPage(request) {
  const kept = () => caches.match(page, { cacheName });
  /** @type {Promise<undefined>} */
  const tooLate = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, undefined));
  const asked = fetch(request);
  const answer = await Promise.race([asked.catch(() => undefined), tooLate]);
  if (answer && !AWAY.has(answer.status)) return answer;
  return (await kept()) ?? answer ?? asked;
}

/** @param {Request} request */
async function asset(request) {
  const kept = await caches.match(request.url, { cacheName });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && answer.headers.get("cache-control")?.includes("immutable")) {
    const cache = await caches.open(cacheName);
    await cache.put(request.url, answer.clone());
  }
  return answer;
}

// Served as /sw.js where the full page is not built: a worker of an earlier build must not go on showing what it kept.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(leave()));

async function leave() {
  for (const name of await caches.keys()) {
    if (name.startsWith(`chat ${registration.scope} `)) await caches.delete(name);
  }
  await registration.unregister();
  for (const page of await clients.matchAll({ type: "window" })) page.navigate(page.url);
}

/** The one script that may become a worker; see `require-trusted-types-for` in the policy of the page. */
const SCRIPT = "sw.js";

/**
 * Let the worker keep the page for the time without a network. `?nosw` in the address removes it and all it kept.
 * Where there are no workers (no https, storage forbidden) nothing happens.
 */
export function startWorker() {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  if (new URLSearchParams(location.search).has("nosw")) {
    removeWorker().catch(() => {});
    return;
  }
  const begin = () => { workers.register(/** @type {any} */ (trusted(SCRIPT))).catch(() => {}); };
  // It fetches: after what the person waits for.
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin, { once: true });
}

/** Unregister the worker of this page and forget what it kept. */
export async function removeWorker() {
  const registration = await navigator.serviceWorker.getRegistration();
  if (!registration) return;
  await registration.unregister();
  for (const name of await caches.keys()) {
    if (name.startsWith(`chat ${registration.scope} `)) await caches.delete(name);
  }
}

/**
 * `register()` is a sink of Trusted Types, and this is the only policy that the page may make.
 * @param {string} script
 * @returns {unknown}
 */
function trusted(script) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return script;
  const policy = types.createPolicy("chat-sw", {
    createScriptURL(/** @type {string} */ url) {
      if (url !== SCRIPT) throw new TypeError(`no worker: ${url}`);
      return url;
    },
  });
  return policy.createScriptURL(script);
}

/**
 * @typedef {import("./client.d.ts").Options} Options
 * @typedef {object} Settled
 * @property {string | undefined} base
 * @property {new (url: string, protocol: string) => any} WebSocket
 * @property {import("./link.js").Clock} clock
 * @property {import("./client.d.ts").Keeper} storage
 * @typedef {Omit<Options, keyof Settled> & Settled} Settings the options, those that are needed with a value
 */

const globals = /** @type {any} */ (globalThis);

/** @type {import("./link.js").Clock} */
const CLOCK = {
  now: Date.now,
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: Math.random,
};

/** Keeps nothing. @returns {import("./client.d.ts").Keeper} */
export function memory() {
  /** @type {Map<string, string | null>} */
  const kept = new Map();
  return { get: (name) => kept.get(name), set: (name, value) => void kept.set(name, value) };
}

/**
 * The browser's: who one is, in all tabs and for long; the session, in this tab.
 * @param {string} [prefix]
 * @returns {import("./client.d.ts").Keeper}
 */
export function browserStorage(prefix = "chat") {
  const rest = memory(); // where cookies are forbidden these throw, and nothing is lost but the comfort
  const store = (/** @type {string} */ name) => (name === "session" ? sessionStorage : localStorage);
  return {
    get(name) {
      try {
        return store(name).getItem(`${prefix}.${name}`);
      } catch {
        return rest.get(name);
      }
    },
    set(name, value) {
      try {
        if (value === null) store(name).removeItem(`${prefix}.${name}`);
        else store(name).setItem(`${prefix}.${name}`, value);
      } catch {
        rest.set(name, value);
      }
    },
  };
}

/** @param {Options} options @returns {Settings} */
export function settle(options) {
  const { WebSocket = globals.WebSocket, clock, storage = memory() } = options;
  if (!WebSocket) throw new TypeError("no WebSocket here: new ChatClient(url, {WebSocket})");
  return {
    client: "chatservice.js",
    ...options,
    WebSocket,
    storage,
    clock: { ...CLOCK, ...clock },
    base: globals.document?.baseURI,
  };
}

/** Look at the connection when the network, the tab or the machine is back. @param {import("./link.js").Link} link */
export function listenToBrowser(link) {
  const { document } = globals;
  if (!document) return;
  globals.addEventListener("online", () => link.wake());
  document.addEventListener("visibilitychange", () => document.hidden || link.wake());
  // A page with an open connection would not be kept for the way back.
  globals.addEventListener("pagehide", (/** @type {{persisted: boolean}} */ { persisted }) => {
    if (persisted && (link.state === "online" || link.state === "connecting")) link.lose("frozen");
  });
  globals.addEventListener("pageshow", (/** @type {{persisted: boolean}} */ { persisted }) => {
    if (persisted && link.state === "waiting") link.open();
  });
}

// The last messages of each room, to be shown while there is no connection.
import { PREFIX } from "./keep.js";

const KEEP = 50;
const STORE = "rooms";

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(PREFIX, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

/**
 * @template Answer
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<Answer>} ask
 * @returns {Promise<Answer | undefined>} undefined where nothing may be kept: private windows, forbidden storage
 */
async function ask(mode, ask) {
  try {
    const database = await open();
    try {
      return await new Promise((resolve, reject) => {
        const request = ask(database.transaction(STORE, mode).objectStore(STORE));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

/** @param {string} user @param {string} room @returns {Promise<any[]>} what this user saw there last, oldest first */
export async function load(user, room) {
  const kept = await ask("readonly", (store) => store.get(room));
  return kept?.user === user && Array.isArray(kept.messages) ? kept.messages : [];
}

/** @param {string} user @param {string} room @param {readonly any[]} messages */
export function save(user, room, messages) {
  return ask("readwrite", (store) => store.put({ user, messages: messages.slice(-KEEP) }, room));
}

/** @param {string} room */
export function forget(room) {
  return ask("readwrite", (store) => store.delete(room));
}

export function clear() {
  return ask("readwrite", (store) => store.clear());
}

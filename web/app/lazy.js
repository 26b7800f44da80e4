import { signal } from "@preact/signals";

/** @type {import("@preact/signals").Signal<typeof import("./later.js") | null>} once it has come */
export const later = signal(null);

/** Bring it. Rejects where there is no connection; the next one who needs it asks again. */
export async function load() {
  later.value ??= await import("./later.js");
  return later.value;
}

/** With the first touch of the page it is asked for, so that it is there when it is wanted. */
export function loadWithFirstTouch() {
  for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => void load().catch(() => {}), { once: true });
}

// What the small pages keep in the browser: name and language.

// Storage can be forbidden; then a page just forgets.
export const memory = {
  get(key) { try { return JSON.parse(localStorage.getItem(`chat.${key}`)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(`chat.${key}`, JSON.stringify(value)); } catch { /* see above */ } },
};

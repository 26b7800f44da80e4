import { createContext } from "preact";
import { useContext } from "preact/hooks";

/** @typedef {import("../store/store.js").Store} Store */

export const Here = createContext(/** @type {Store} */ (/** @type {unknown} */ (null)));

/** What the page knows. @returns {Store} */
export const useStore = () => useContext(Here);

// Elements as tagged templates: what JSX is, without a compiler.
export { html } from "htm/preact";

/** @typedef {import("preact").ComponentChildren} Shown */

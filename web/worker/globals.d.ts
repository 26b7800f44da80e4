/** Filled in by scripts/page.js. */
declare const BUILD: string;
declare const SHELL: string[];

/** How the door that the build makes names the room; filled in by scripts/first.js. */
declare const LOBBY: string;
/** The button that was pressed before the page was there. */
declare var pressed: HTMLButtonElement | null | undefined;

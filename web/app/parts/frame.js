import { html } from "../html.js";

/** The page before anything is known: where the rooms, the room and its people will be. */
export const PageFrame = () => html`<div class="page"><nav class="rooms" /><main /><aside class="people" /></div>`;

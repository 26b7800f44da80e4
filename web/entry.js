// What the build begins with: the page, and beside it the worker, without which the page is whole.
import "./app/main.js";
import { startWorker } from "./worker/register.js";

startWorker();

// What `<script src="client.iife.js">` brings: window.ChatService.
import { ChatClient, ChatError, View, browserStorage } from "./index.js";

/** @type {any} */ (globalThis).ChatService = { ChatClient, ChatError, View, browserStorage };

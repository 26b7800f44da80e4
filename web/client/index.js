export { ChatClient } from "./chat.js";
export { ChatError } from "./errors.js";
export { View } from "./view.js";
export { browserStorage } from "./surroundings.js";

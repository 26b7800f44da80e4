import { parse, whom } from "../commands.js";

/** @typedef {import("../store/store.js").Store} Store */
/** @typedef {import("../store/room.js").RoomState} RoomState */

/**
 * What is in the box is said, or done.
 * @param {Store} store @param {RoomState} room @param {string} text
 * @returns {string} what is wrong with it; then it stays in the box
 */
export function submit(store, room, text) {
  const compose = store.compose.peek();
  if (compose?.kind === "edit") return edit(store, room, compose.seq, text);
  if (!text) return "";
  const meant = parse(text);
  if ("unknown" in meant) return store.say.peek()("unknown-command", { name: meant.unknown });
  if ("command" in meant) return obey(store, room, meant.command, meant.rest);
  store.outgoing.send(room, meant.say, { action: meant.action, reply: compose?.seq });
  store.compose.value = null;
  store.view.isStuck = true;
  room.marks.rule.value = undefined; // who answers has read
  if (!room.isLive.peek()) room.newest();
  return "";
}

/** @param {Store} store @param {RoomState} room @param {number} seq @param {string} text */
function edit(store, room, seq, text) {
  const message = room.window.view.messages.get(seq);
  store.compose.value = null;
  if (!text) store.dialog.value = { name: "delete", room, seq };
  else if (message && text !== message.text) void store.doing(() => room.handle.edit(seq, text, message.rev));
  return "";
}

/**
 * @param {Store} store @param {RoomState} room @param {import("../commands.js").Command} command @param {string} rest
 * @returns {string}
 */
function obey(store, room, command, rest) {
  const say = store.say.peek();
  switch (command) {
    case "nick":
      if (rest) void store.rename(rest);
      else store.dialog.value = { name: "nick" };
      return "";
    case "join":
      if (rest) store.open(rest.replace(/^#/, ""));
      else store.dialog.value = { name: "rooms" };
      return "";
    case "leave":
      store.leave(room);
      return "";
    case "msg": {
      const { person, more } = whom(rest, room.people.peek().values());
      if (!person) return say("nobody-called", { nick: rest.split(" ")[0] });
      const other = store.talkTo(person);
      if (more) store.outgoing.send(other, more);
      return "";
    }
    case "mute":
    case "unmute":
    case "kick":
    case "ban": {
      const { person, more } = whom(rest, room.people.peek().values());
      if (!person) return say("nobody-called", { nick: rest });
      void store.doing(() => room.handle.mod(command, { user: person.id, reason: more || undefined, for_s: command === "mute" ? 600 : undefined }));
      return "";
    }
    case "topic":
      void store.doing(() => room.handle.mod("topic", { value: rest }));
      return "";
    case "away":
      void store.doing(() => store.chat.status("away", rest));
      return "";
    case "back":
      void store.doing(() => store.chat.status("online"));
      return "";
    case "who":
      store.panel.value = "people";
      store.settings.people.value = true;
      return "";
    case "clear":
      room.clear();
      room.notes.value = [];
      return "";
    case "help":
      store.dialog.value = { name: "keys" };
      return "";
    default: // `/me` without a word
      return say("unknown-command", { name: command });
  }
}

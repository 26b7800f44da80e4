// What comes after the page, with the first touch of it: nobody needs a dialog or an emoji to begin to talk. One file
// for both: two would share code in ways that make the page itself more files.
import { DeleteDialog } from "./parts/deletedialog.js";
import { KeysDialog } from "./parts/keysdialog.js";
import { NickDialog } from "./parts/nickdialog.js";
import { RoomDialog } from "./parts/roomdialog.js";
import { RoomsDialog } from "./parts/roomsdialog.js";
import { SignIn } from "./parts/signin.js";
import { SettingsDialog } from "./parts/settingsdialog.js";

export { find, GROUPED } from "./emoji.js";
export { acceptInvite } from "./invite.js";
export { SignIn };

/** @type {Record<string, any>} */
export const BODIES = {
  settings: SettingsDialog, rooms: RoomsDialog, room: RoomDialog, keys: KeysDialog, nick: NickDialog, delete: DeleteDialog,
};

/**
 * Become a member of a private room by the link one was given, and go there.
 * @param {import("./store/store.js").Store} store @param {string} room @param {string} invite
 */
export async function acceptInvite(store, room, invite) {
  try {
    await store.chat.connect();
    await store.chat.ask("join", { room, invite });
    store.show(store.add(room));
  } catch (error) {
    store.complain(error);
  }
}

/** A link that invites one person for a week. @param {import("./store/store.js").Store} store @param {string} room */
export async function inviteLink(store, room) {
  const { invite } = await store.chat.ask("invite", { room });
  const url = new URL(location.href);
  url.search = "";
  url.hash = new URLSearchParams({ room, invite }).toString(); // what follows # is sent to no server
  return url.href;
}

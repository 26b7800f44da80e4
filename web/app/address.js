/** @returns {URLSearchParams} what the address asks for */
export const asked = () => new URLSearchParams(location.search);

/** @returns {URLSearchParams} what a link hands over behind the #, which no server is sent: an invitation */
export const handed = () => new URLSearchParams(location.hash.slice(1));

/** @returns {string} the room that the address names; empty if it names none */
export const wanted = () => handed().get("room") ?? asked().get("room") ?? "";

/** @typedef {Record<string, any>} Frame one JSON object of the wire */

/** Something was refused, or cannot be known. The codes of the wire, and our own: `offline`, `lost`, `parted`,
 * `outbox_full`, `overflow`, `stopped`, `withdrawn`, or why it all ended. */
export class ChatError extends Error {
  /**
   * @param {string} code
   * @param {string} [message] for people, in their language when it comes from the server
   * @param {boolean} [temporary] the same may succeed later
   * @param {number} [retry_ms] after so long, if that is known
   */
  constructor(code, message = code, temporary = false, retry_ms) {
    super(message);
    this.name = "ChatError";
    this.code = code;
    this.temporary = temporary;
    this.retry_ms = retry_ms;
  }
}

/** Where a `ChatClient` stands: not started or disconnected; trying; in; waiting for the next attempt; told to stay away. */
export type State = "idle" | "connecting" | "online" | "waiting" | "ended";

export interface User {
  readonly id: string;
  readonly nick: string;
  readonly guest?: boolean;
  readonly role?: string;
}

/** A message in its final form; one that changes is replaced by another object. */
export interface Message {
  readonly seq: number;
  /** milliseconds since 1970 */
  readonly ts: number;
  readonly from: { readonly id: string; readonly nick: string };
  /** not there when `deleted` */
  readonly text?: string;
  readonly rev: number;
  readonly edited?: true;
  readonly deleted?: true;
  /** the `seq` of the message it answers */
  readonly reply?: number;
  /** user ids */
  readonly mentions?: readonly string[];
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly action?: boolean;
  readonly reactions?: Readonly<Record<string, { readonly n: number; readonly me: boolean }>>;
}

export interface Hit extends Message {
  readonly room: string;
}

/** What a join was answered. */
export interface RoomInfo {
  readonly room: string;
  readonly epoch: string;
  readonly seq: number;
  readonly read: number;
  readonly unread: number;
  readonly mentions: number;
  /** users in the room */
  readonly n: number;
  readonly members?: readonly User[];
  readonly topic?: string;
  readonly you: { readonly role: string; readonly can: readonly string[] };
}

export interface Receipt {
  readonly room: string;
  readonly cid: string;
  readonly seq: number;
  readonly ts: number;
  /** it had been stored before; this was a repetition */
  readonly dup: boolean;
}

export interface Letter {
  readonly room: string;
  readonly cid: string;
  readonly text: string;
  readonly reply?: number;
  readonly action?: boolean;
  readonly meta?: Record<string, unknown>;
}

interface Told<T extends string> {
  readonly type: T;
  readonly room: string;
}

interface Entry<T extends string> extends Told<T> {
  readonly seq: number;
  readonly ts: number;
}

/** Durable events: each is told once, in order, without a gap. */
export interface Entries {
  message: Entry<"message"> & Omit<Message, "rev" | "edited" | "reactions"> & { readonly cid?: string };
  edit: Entry<"edit"> & { readonly ref: number; readonly by: string; readonly text?: string; readonly rev: number; readonly deleted?: true };
  delete: Entry<"delete"> & { readonly ref: number; readonly by: string; readonly reason?: string };
  react: Entry<"react"> & { readonly ref: number; readonly emoji: string; readonly by: string; readonly on: boolean; readonly n: number };
  mod: Entry<"mod"> & { readonly action: string; readonly by: string; readonly user?: User; readonly until?: number; readonly value?: unknown; readonly reason?: string };
}

/** What is told about a room. */
export interface RoomEvents extends Entries {
  /** We are in it. `reset`: start over with `room.messages`, for `reason`; else what we missed follows. */
  joined: Told<"joined"> & RoomInfo & { readonly reset: boolean; readonly reason: string };
  /** We are not in it any more, or could not get in, and do not try again. */
  lost: Told<"lost"> & { readonly code: string; readonly message: string };
  /** Numbers above `after` did not survive on the server; `room.messages` has dropped them. */
  truncate: Told<"truncate"> & { readonly after: number };
  enter: Told<"enter"> & { readonly user: User; readonly n: number };
  leave: Told<"leave"> & { readonly user: User; readonly n: number };
  count: Told<"count"> & { readonly n: number };
  nick: Told<"nick"> & { readonly user: User; readonly was: string };
  typing: Told<"typing"> & { readonly user: User; readonly on: boolean };
  /** Another device of ours has read so far. */
  read: Told<"read"> & { readonly seq: number; readonly unread: number; readonly mentions: number };
}

/** What is told about the connection and the people; the events of all rooms come here too. */
export interface ChatEvents extends RoomEvents {
  state: {
    readonly type: "state";
    readonly state: State;
    /** while waiting or ended: why */
    readonly reason: string;
    /** the close code, if there was one */
    readonly code?: number;
    /** while waiting: how long */
    readonly retry_ms?: number;
    readonly attempt: number;
    readonly user?: User;
  };
  /** Somebody has the nick we asked for; we come in without it. */
  nick_taken: { readonly type: "nick_taken"; readonly nick: string };
  presence: { readonly type: "presence"; readonly user: User; readonly status: string; readonly conns: number; readonly text?: string };
  /** Somebody has begun to talk to us alone, or we to them: `chat.room(dm).join()`. */
  dm: Entry<"dm"> & { readonly dm: string; readonly with: User };
}

/** Any event, also of types this file does not know. */
export interface AnyEvent {
  readonly type: string;
  readonly room?: string;
  readonly [member: string]: any;
}

/** Calls the handler for each event of that type, `*` for all. Gives a function that ends this. */
interface On<Events> {
  <T extends keyof Events>(type: T, handler: (event: Events[T]) => void): () => void;
  (type: "*", handler: (event: AnyEvent) => void): () => void;
}

/** Where who one is outlives the program. */
export interface Keeper {
  get(name: "guest_token" | "session"): string | null | undefined;
  set(name: "guest_token" | "session", value: string | null): void;
}

export interface Options {
  /** the name one wants; the server gives one otherwise */
  nick?: string;
  /** proves who one is; a function is asked anew for every connection */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** language of the server's sentences: `en`, `zh-CN` */
  lang?: string;
  /** what your program is called */
  client?: string;
  /** where a guest's identity is kept; in memory otherwise */
  storage?: Keeper;
  /** where there is none, as in Node before 22 */
  WebSocket?: new (url: string, protocol: string) => any;
  /** for tests */
  clock?: {
    now?(): number;
    setTimeout?(run: () => void, ms: number): any;
    clearTimeout?(timer: any): void;
    random?(): number;
  };
}

/** Why something was not done. */
export class ChatError extends Error {
  constructor(code: string, message?: string, temporary?: boolean, retry_ms?: number);
  /** an error code of the wire; or `offline` (not sent), `lost` (nobody can tell), `parted`, `outbox_full`, `overflow`, `stopped` */
  readonly code: string;
  /** the same may succeed later */
  readonly temporary: boolean;
  /** after so long, if that is known */
  readonly retry_ms?: number;
}

/** At most one of the three sides. */
type Page = { limit?: number } & (
  | { before?: number; after?: never; around?: never }
  | { before?: never; after?: number; around?: never }
  | { before?: never; after?: never; around?: number }
);

/** One room. A handle: any number of them may stand for the same room. */
export class Room implements AsyncIterable<AnyEvent> {
  private constructor();
  /** for a direct conversation known after the first hello */
  get name(): string;
  /** we are in it, now */
  get joined(): boolean;
  /** what the newest join was answered */
  get info(): RoomInfo | undefined;
  /** up to where we have everything */
  get position(): { epoch: string; seq: number } | undefined;
  /** the newest messages, oldest first; at most 1000 */
  get messages(): readonly Message[];
  on: On<RoomEvents>;
  /** All events from now on, until the room is left or the chat ends. Throws `overflow` when 1000 wait. */
  [Symbol.asyncIterator](): AsyncGenerator<AnyEvent, void, void>;
  /** Be in the room from now on, over all connections, beginning with its `last` messages (50). */
  join(wish?: { last?: number }): Promise<RoomInfo>;
  part(): Promise<void>;
  /** Say something, now or as soon as there is a connection; once, however often it must be sent. */
  send(text: string, more?: { cid?: string; reply?: number; action?: boolean; meta?: Record<string, unknown> }): Promise<Receipt>;
  /** Change one's own message, of which revision `rev` was seen. */
  edit(seq: number, text: string, rev?: number): Promise<AnyReply>;
  delete(seq: number, reason?: string): Promise<AnyReply>;
  react(seq: number, emoji: string, on?: boolean): Promise<AnyReply>;
  /** Everything up to `seq`, or all we have, has been read. */
  read(seq?: number): Promise<{ seq: number; unread: number; mentions: number }>;
  history(page?: Page): Promise<{ messages: Message[]; more: boolean; epoch: string }>;
  search(q: string, page?: { before?: number; limit?: number }): Promise<{ hits: Hit[]; next?: number }>;
  members(page?: { after?: string; limit?: number }): Promise<{ members: User[]; n: number; next?: string }>;
  /** May be called at every key. */
  typing(on?: boolean): void;
  mod(action: string, more?: { user?: string; for_s?: number; value?: string | number; reason?: string }): Promise<AnyReply>;
  /** Any command about the room. */
  ask(type: string, members?: Record<string, unknown>): Promise<AnyReply>;
}

export interface AnyReply {
  readonly [member: string]: any;
}

/** One person's place in a chat, whatever happens to the connections below it. */
export class ChatClient implements AsyncIterable<AnyEvent> {
  /** @param url of the service's `/v1`; `http` will do for `ws`, and on a page it may be relative. */
  constructor(url?: string, options?: Options);
  get state(): State;
  /** who one is; undefined before the first hello was answered */
  get user(): User | undefined;
  /** what hello was answered: `limits`, `durability`, `build` … */
  get info(): AnyReply;
  /** those one wants to be in */
  get rooms(): Room[];
  /** messages without an answer; `room.send(text, {cid})` takes one up again after a restart */
  get unsent(): Letter[];
  /**
   * Take back what was never sent: its promise rejects with `withdrawn`.
   * @returns false when it is too late: it was sent and may be there, or has had its answer
   */
  withdraw(cid: string): boolean;
  on: On<ChatEvents>;
  [Symbol.asyncIterator](): AsyncGenerator<AnyEvent, void, void>;
  /** Be connected, at once if we wait. */
  connect(): Promise<User>;
  /** Be connected no more. Rooms and unsent messages wait for the next `connect`. */
  disconnect(): void;
  room(name: string): Room;
  /** The direct conversation with a user. */
  dm(user: string): Room;
  dms(): Promise<{ room: string; with: User }[]>;
  /** The rooms anyone may find, and one's own. */
  list(): Promise<{ room: string; seq: number; unread: number; mentions: number; joined: boolean }[]>;
  search(q: string, page?: { room?: string; before?: number; limit?: number }): Promise<{ hits: Hit[]; next?: number }>;
  status(status: "online" | "away" | "dnd", text?: string): Promise<AnyReply>;
  rename(nick: string): Promise<AnyReply>;
  /** Any command. */
  ask(type: string, members?: Record<string, unknown>): Promise<AnyReply>;
}

/** Folds durable events into messages; `room.messages` is made by one. */
export class View {
  messages: Map<number, Message>;
  replace(state: Message[]): void;
  /** @returns false when that is not enough: a change of an earlier message did not survive either */
  truncate(after: number): boolean;
  apply(event: AnyEvent, me: string | undefined): void;
}

/** A browser's: the guest token in all tabs and for long, the session in this tab. */
export function browserStorage(prefix?: string): Keeper;

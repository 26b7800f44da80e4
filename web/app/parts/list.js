import { signal } from "@preact/signals";
import { Component, createRef } from "preact";
import { html } from "../html.js";
import { dayWords } from "../words.js";
import { Actions } from "./actions.js";
import { anchorOf, hold } from "./anchor.js";
import { onListKey } from "./listkeys.js";
import { Moves, Note } from "./notes.js";
import { Pending } from "./pending.js";
import { Pill } from "./pill.js";
import { Row } from "./row.js";

const STUCK_PX = 48;
const SCREENS = 1.5; // older messages are asked for before their place is reached

/** @typedef {{room: import("../store/room.js").RoomState, store: import("../store/store.js").Store}} Props */

/** The messages of a room. Whoever is at the end stays there; whoever reads further up is not moved by anything. */
export class List extends Component {
  scroller = createRef();
  content = createRef();
  /** the message whose actions are shown */
  active = signal(0);
  isFar = signal(false);
  /** the end or the unread rule has been shown */
  isPlaced = false;
  /** @type {ResizeObserver | undefined} */
  sizes = undefined;
  size = ""; // as the observer has seen it last, or we ourselves
  /** @type {any} the place last gone to */
  gone = null;

  /** @param {Props} props */
  constructor(props) {
    super(props);
    this.own = props;
  }

  get view() {
    return this.own.store.view;
  }

  /** Whether the end of the room is shown and shall stay in view. */
  get sticks() {
    return this.view.isStuck && this.own.room.isLive.peek();
  }

  get measured() {
    const { scrollHeight, clientHeight } = this.scroller.current;
    return `${scrollHeight} ${clientHeight}`;
  }

  componentDidMount() {
    this.view.isStuck = !this.own.room.target.peek();
    this.sizes = new ResizeObserver(() => {
      if (this.sticks) this.toEnd();
      this.size = this.measured;
    });
    this.sizes.observe(this.scroller.current);
    this.sizes.observe(this.content.current);
    this.componentDidUpdate(null, null, null);
  }

  componentWillUnmount() {
    this.sizes?.disconnect();
  }

  getSnapshotBeforeUpdate() {
    const { current: scroller } = this.scroller;
    return scroller && !this.sticks ? anchorOf(scroller) : null;
  }

  /** @param {any} _props @param {any} _state @param {import("./anchor.js").Anchor | null} anchor */
  componentDidUpdate(_props, _state, anchor) {
    const { room } = this.own;
    const target = room.target.peek();
    if (target && target !== this.gone) {
      this.gone = target;
      this.goTo(target.seq);
    } else if (!this.isPlaced) {
      this.place();
    } else if (this.sticks) {
      this.toEnd();
    } else if (anchor) hold(this.scroller.current, anchor);
    this.look();
  }

  toEnd() {
    const { current: scroller } = this.scroller;
    scroller.scrollTop = scroller.scrollHeight;
  }

  /** Where to begin: at the end, or at what is unread if that is more than a screen. */
  place() {
    const { current: scroller } = this.scroller;
    const { room } = this.own;
    if (!scroller.querySelector("li[data-seq]")) return;
    this.isPlaced = room.isJoined.peek();
    const rule = scroller.querySelector(".unread");
    const below = rule ? scroller.scrollHeight - rule.offsetTop : 0;
    if (rule && below > scroller.clientHeight) {
      this.view.isStuck = false;
      scroller.scrollTop = rule.offsetTop - scroller.clientHeight / 4;
    } else if (this.view.isStuck) {
      this.toEnd();
    }
  }

  /** @param {number} seq */
  goTo(seq) {
    const row = this.content.current.querySelector(`[data-seq="${Number(seq)}"]`);
    if (!row) return void (this.gone = null); // it comes with the next picture
    this.view.isStuck = false;
    this.isPlaced = true;
    row.scrollIntoView({ block: "center" });
    row.classList.remove("found");
    void row.offsetWidth; // so that the mark begins anew
    row.classList.add("found");
    row.focus({ preventScroll: true });
  }

  /** Where are we, and is there more in that direction? @param {Event} [scrolled] */
  look = (scrolled) => {
    const { current: scroller } = this.scroller;
    const { room } = this.own;
    if (!scroller || !this.isPlaced) return;
    // Not by the reader, but since something took room or gave it: the observer, which comes after this, sees to it.
    if (scrolled && this.sticks && this.size !== this.measured) return;
    this.size = this.measured;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    const below = scrollHeight - clientHeight - scrollTop;
    const wasStuck = this.view.isStuck;
    this.view.isStuck = below <= STUCK_PX && room.isLive.peek();
    this.isFar.value = !room.isLive.peek() || below > clientHeight / 2;
    if (this.view.isStuck) room.marks.below.value = 0;
    if (this.view.isStuck && !wasStuck) room.marks.look();
    if (scrollTop < SCREENS * clientHeight) room.older();
    if (below < SCREENS * clientHeight) room.newer();
  };

  toNewest = () => {
    const { room } = this.own;
    this.view.isStuck = true;
    room.marks.below.value = 0;
    if (!room.isLive.peek()) room.newest();
    this.toEnd();
    room.marks.look();
  };

  /**
   * What one points at is what one may act on. A finger must have been lifted first: what appears below it would be
   * pressed by it.
   * @param {PointerEvent} event
   */
  onPointer = (event) => {
    if (event.type === "pointerover" && event.pointerType === "touch") return;
    const row = /** @type {HTMLElement} */ (event.target).closest?.("li[data-seq]");
    if (row) this.active.value = Number(row.getAttribute("data-seq"));
  };

  /** @param {PointerEvent} event */
  onLeave = (event) => {
    if (event.pointerType !== "touch") this.active.value = 0;
  };

  /** @param {Props} props */
  render({ room, store }) {
    const say = store.say.value;
    const day = dayWords(store.lang.value, store.now.value);
    const pending = room.isLive.value ? room.pending.value : [];
    const rows = room.rows.value;
    const last = rows.at(-1);
    void room.target.value;
    const isEmpty = room.isJoined.value && !room.hasOlder.value && !room.messages.value.length && !pending.length;
    return html`<div class="middle">
      <div class="scroller" tabindex="0" role="region" aria-label=${say("messages")} ref=${this.scroller} onScroll=${this.look}
        onPointerOver=${this.onPointer} onFocusIn=${this.onPointer} onClick=${this.onPointer} onPointerLeave=${this.onLeave}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => onListKey(event, this)}>
        <div class="content" ref=${this.content}>
          <p class="begin">${room.loading.value ? say("loading") : isEmpty ? "" : !room.hasOlder.value && room.isJoined.value ? say("beginning") : ""}</p>
          ${isEmpty && html`<p class="empty serif">${say("nobody-yet")}</p>`}
          <div role="log" aria-live="off" aria-label=${say("messages")}><ol>
            ${rows.map((row) => {
              if (row.kind === "message") return html`<${Row} key=${row.key} message=${row.message} isFirst=${row.isFirst} room=${room} store=${store} />`;
              if (row.kind === "day") return html`<li key=${row.key} class="day serif"><time datetime=${new Date(row.ts).toISOString().slice(0, 10)}>${day(row.ts)}</time></li>`;
              if (row.kind === "unread") return html`<li key=${row.key} class="unread"><span>${say("unread")}</span></li>`;
              if (row.kind === "note") return html`<${Note} key=${row.key} note=${row.note} store=${store} />`;
              return html`<${Moves} key=${row.key} came=${row.came} left=${row.left} store=${store} />`;
            })}
            ${pending.map((letter, index) => html`<${Pending} key=${letter.cid} letter=${letter} store=${store}
              isFirst=${index === 0 && !(last?.kind === "message" && last.message.from.id === store.me.value?.id)} />`)}
          </ol></div>
        </div>
        <${Actions} list=${this} room=${room} store=${store} />
      </div>
      <${Pill} list=${this} room=${room} store=${store} />
    </div>`;
  }
}

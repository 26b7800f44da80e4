import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import * as keep from "../store/keep.js";
import { TOUCH } from "../surroundings.js";
import { ComposerKeys } from "./composerkeys.js";
import { Completion, Suggestions } from "./completion.js";
import { insert } from "./box.js";
import { Icon } from "./icon.js";
import { Picker } from "./picker.js";
import { submit } from "./submit.js";
import { useStore } from "./use.js";

const DRAFT_MS = 300;

/** Where one writes. Nothing ever disables it. @param {{room: import("../store/room.js").RoomState}} props */
export function Composer({ room }) {
  const store = useStore();
  const say = store.say.value;
  const box = useRef(/** @type {any} */ (null));
  const hint = useSignal("");
  const isPicking = useSignal(false);
  const isEmpty = useSignal(true);
  const over = useSignal(0);
  const tools = useRef(/** @type {{completion: Completion, keys: ComposerKeys} | null} */ (null));
  if (!tools.current) {
    const completion = new Completion(store, room);
    tools.current = { completion, keys: new ComposerKeys(store, room, completion) };
  }
  const { completion, keys } = tools.current;
  const compose = store.compose.value;
  const draft = `draft.${room.name}`;

  /** All that depends on what is in the box. */
  const changed = () => {
    const { value } = box.current;
    isEmpty.value = !value.trim();
    over.value = Math.max(0, [...value].length - (store.chat.info.limits?.text ?? 4000));
    hint.value = "";
    if (!CSS.supports("field-sizing", "content")) {
      box.current.style.height = "auto";
      box.current.style.height = `${box.current.scrollHeight}px`;
    }
  };
  /** @param {string} text */
  const put = (text) => {
    box.current.value = text;
    changed();
    keepDraft();
  };
  /** @type {{current: any}} */
  const timer = useRef(null);
  const keepDraft = () => {
    clearTimeout(timer.current);
    if (box.current && store.compose.peek()?.kind !== "edit") keep.set(draft, box.current.value || undefined);
  };

  useLayoutEffect(() => {
    box.current.value = keep.get(draft) ?? "";
    changed();
    addEventListener("pagehide", keepDraft);
    if (!matchMedia(TOUCH).matches && !store.dialog.peek()) box.current.focus({ preventScroll: true });
    return () => {
      removeEventListener("pagehide", keepDraft);
      keepDraft();
      store.compose.value = null;
    };
  }, []);

  useEffect(() => {
    if (compose?.kind === "edit") put(room.window.view.messages.get(compose.seq)?.text ?? "");
    if (compose) box.current.focus();
  }, [compose]);

  const onInput = () => {
    changed();
    completion.look(box.current);
    clearTimeout(timer.current);
    timer.current = setTimeout(keepDraft, DRAFT_MS);
    if (store.isOnline.peek() && !box.current.value.startsWith("/") && store.compose.peek()?.kind !== "edit") room.handle.typing(!!box.current.value.trim());
  };
  const stop = () => {
    const wasEdit = compose?.kind === "edit";
    store.compose.value = null;
    if (wasEdit) put(keep.get(draft) ?? "");
    box.current.focus();
  };
  const send = () => {
    if (over.peek()) return;
    const text = box.current.value;
    const problem = submit(store, room, text.trim());
    if (problem) return void (hint.value = problem);
    if (text.trim()) keys.remember(text);
    completion.close();
    put("");
  };
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => keys.press(event, { send, put, stop, isTouch: matchMedia(TOUCH).matches });
  const placeholder = room.isDM ? say("say-to", { nick: room.title.value }) : say("say-in", { room: room.title.value });
  const subject = compose && room.window.view.messages.get(compose.seq);
  const suggestions = completion.list.value;
  return html`<form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }}>
    <${Suggestions} completion=${completion} store=${store} />
    ${isPicking.value && html`<${Picker} store=${store} pick=${(/** @type {string} */ emoji) => { isPicking.value = false; insert(emoji); }} close=${() => { isPicking.value = false; box.current.focus(); }} />`}
    <div class="sheet">
      ${compose && html`<p class="about"><${Icon} name=${compose.kind === "edit" ? "pencil" : "reply"} />
        <span>${compose.kind === "edit" ? say("editing") : say("replying", { nick: subject ? store.nickOf(subject.from) : "" })}</span>
        <span class="snippet" dir="auto">${compose.kind === "reply" ? String(subject?.text ?? "").slice(0, 100) : ""}</span>
        <button type="button" class="plain small" aria-label=${say("stop")} title=${say("stop")} onClick=${stop}><${Icon} name="close" /></button></p>`}
      <div class="writing">
        <label class="vh" for="text">${placeholder}</label>
        <textarea id="text" ref=${box} rows="1" placeholder=${placeholder} dir="auto" autocomplete="off" enterkeyhint="send" aria-autocomplete="list"
          aria-haspopup="listbox" aria-controls="suggestions"
          aria-activedescendant=${suggestions.length ? `suggestion-${completion.index.value}` : undefined} aria-describedby="hint"
          onInput=${onInput} onKeyDown=${onKeyDown} onBlur=${() => completion.close()} onSelect=${() => completion.moved(box.current)} />
        <button type="button" class="plain" aria-label=${say("emoji")} title=${say("emoji")} aria-expanded=${isPicking.value} onClick=${() => { isPicking.value = !isPicking.value; }}><${Icon} name="smile" /></button>
        <button type="submit" class="send" aria-label=${say("send")} title=${say("send")} data-empty=${isEmpty.value || undefined}><${Icon} name="send" /></button>
      </div>
    </div>
    <p class="hint" id="hint" role="status">${hint.value || (over.value ? say("too-long", { n: over.value }) : "")}</p>
  </form>`;
}

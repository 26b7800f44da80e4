"""The client core's view of a room: messages in their final form, folded from the events."""

from __future__ import annotations

from clients import BOB, ME, Frame, final, message

from chatservice.client.view import View


def view(*frames: Frame) -> View:
    shown = View()
    shown.me = "u_1"
    for frame in frames:
        shown.apply(frame)
    return shown


def edit(ref: int, rev: int, text: str) -> Frame:
    return {"type": "edit", "room": "tea", "seq": 90, "ts": 1, "ref": ref, "by": "u_2", "text": text, "rev": rev}


def delete(ref: int) -> Frame:
    return {"type": "delete", "room": "tea", "seq": 91, "ts": 1, "ref": ref, "by": "u_2"}


def react(by: str, n: int, *, on: bool = True, ref: int = 1, emoji: str = "👍") -> Frame:
    return {"type": "react", "seq": 92, "ts": 1, "ref": ref, "emoji": emoji, "by": by, "on": on, "n": n}


def test_messages() -> None:
    """A message shows as history shows it: without the cid, with all that lasts."""
    more = {"reply": 3, "mentions": ["u_1"], "meta": {"a": 1}, "action": True}
    assert view(message(4, cid="c", **more)).messages == [final(4, **more)]


def test_edits() -> None:
    """An edit changes text and revision; one of a message it does not show changes nothing."""
    assert view(message(1), edit(1, 1, "a"), edit(1, 2, "b"), edit(7, 1, "c")).messages == [
        final(1, "b", rev=2, edited=True)
    ]


def test_deletions() -> None:
    """An erased message keeps its place and loses its words and reactions, for good."""
    shown = view(message(1, mentions=["u_1"], meta={"a": 1}, reply=9), react("u_2", 1), delete(1))
    gone = {"seq": 1, "ts": 1000, "from": BOB, "rev": 0, "deleted": True, "reply": 9}
    assert shown.messages == [gone]
    shown.apply(react("u_2", 1))
    shown.apply(edit(1, 1, "back again"))
    assert shown.messages == [gone | {"rev": 1, "edited": True}]
    shown.apply(delete(7))


def test_replays_of_what_was_erased_later() -> None:
    """A replay holds no words of an erased message; the end is the same."""
    erased = {"type": "message", "room": "tea", "seq": 1, "ts": 1000, "from": BOB, "deleted": True, "action": True}
    erased_edit = {"type": "edit", "seq": 2, "ts": 1, "ref": 1, "by": "u_2", "deleted": True, "rev": 1}
    replayed = view(erased, react("u_1", 1), erased_edit, delete(1)).messages
    assert replayed == view(message(1, action=True), react("u_1", 1), edit(1, 1, "x"), delete(1)).messages


def test_reactions() -> None:
    """Reactions are counted as the server counts them, and one's own are marked."""
    shown = view(message(1), react("u_2", 1), react("u_1", 2), react("u_2", 1, emoji="🍵"))
    assert shown[1]["reactions"] == {"👍": {"n": 2, "me": True}, "🍵": {"n": 1, "me": False}}
    shown.apply(react("u_2", 1, on=False))
    assert shown[1]["reactions"]["👍"] == {"n": 1, "me": True}
    shown.apply(react("u_1", 0, on=False))
    shown.apply(react("u_2", 0, on=False, emoji="🍵"))
    assert "reactions" not in shown[1]
    shown.apply(react("u_2", 1, ref=7))
    assert len(shown) == 1 and 7 not in shown


def test_what_is_kept() -> None:
    """A view keeps its newest messages, and can be replaced or cut."""
    shown = View(keep=3)
    for number in range(1, 6):
        shown.apply(message(number, user=ME))
    assert [m["seq"] for m in shown.messages] == [3, 4, 5]
    shown.truncate(4)
    assert [m["seq"] for m in shown.messages] == [3, 4]
    shown.replace([final(8), final(9)])
    assert [m["seq"] for m in shown.messages] == [8, 9]
    shown.apply({"type": "poll", "seq": 10})
    assert len(shown) == 2

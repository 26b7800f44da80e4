"""chat.v1: joining with a position, history, the raw log, search, read marks, lists of rooms."""

from __future__ import annotations

import pytest
from chat import Chat, Frame, Tab, code

from chatservice.logs.heads import FORKS_KEPT


def position(tab: Tab, room: str = "lobby") -> dict[str, object]:
    """Where the room stands now."""
    joined = tab.ask("join", room=room)
    return {"epoch": joined["epoch"], "seq": joined["seq"]}


def say(tab: Tab, count: int, room: str = "lobby") -> None:
    ids = [tab.send("message", room=room, text=str(n)) for n in range(count)]
    for id in ids:
        assert code(tab.answer(id)) == "ok"
    tab.told()


def verdict(joined: Frame) -> tuple[bool, str]:
    assert joined["was_recovering"]
    return joined["recovered"], joined.get("reason", "")


def test_catching_up(chat: Chat) -> None:
    """A position that holds brings all entries after it: edits, deletions and reactions as well as messages."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    say(ann, 3)
    since = position(bob)
    bob.lose()
    ann.ask("edit", room="lobby", ref=1, text="edited", rev=0)
    ann.ask("message", room="lobby", text="secret")
    ann.ask("react", room="lobby", ref=2, emoji="👍")
    ann.ask("delete", room="lobby", ref=5)
    for seq, wanted in ((3, [4, 5, 6, 7]), (6, [7]), (7, [])):
        back = chat.enter("bob")
        joined = back.ask("join", room="lobby", since=since | {"seq": seq}, last=50)
        assert verdict(joined) == (True, "") and joined["seq"] == 7 and joined["state"] == []
        assert [event["seq"] for event in joined["events"]] == wanted and "secret" not in str(joined)
        back.lose()
    joined = chat.enter("bob").ask("join", room="lobby", since=since)
    assert [event["type"] for event in joined["events"]] == ["edit", "message", "react", "delete"]
    assert joined["events"][1]["deleted"] is True


def test_catching_up_after_restarts(chat: Chat) -> None:
    """A new epoch loses nothing: the answer names it, and sixteen restarts are remembered."""
    ann = chat.enter("ann", "lobby")
    say(ann, 2)
    since = position(ann)
    for n in range(FORKS_KEPT):
        chat.restart()
        ann = chat.enter("ann")
        joined = ann.ask("join", room="lobby", since=since)
        assert verdict(joined) == (True, "") and joined["epoch"] != since["epoch"]
        assert [event["seq"] for event in joined["events"]] == list(range(3, 3 + n))
        say(ann, 1)
    chat.restart()
    joined = chat.enter("ann").ask("join", room="lobby", since=since, last=3)
    assert verdict(joined) == (False, "epoch") and joined["events"] == []
    assert [message["seq"] for message in joined["state"]] == [16, 17, 18] and joined["seq"] == 18


def test_positions_that_do_not_hold(chat: Chat) -> None:
    """An unheard epoch, a number that is not there yet, or too far back: the last messages in final form come."""
    ann = chat.enter("ann", "lobby")
    say(ann, 60)
    ann.ask("edit", room="lobby", ref=60, text="edited", rev=0)
    ann.ask("delete", room="lobby", ref=59)
    epoch = position(ann)["epoch"]
    for since, reason in (
        ({"epoch": "e?", "seq": 5}, "epoch"),
        ({"epoch": "", "seq": 1}, "epoch"),
        ({"epoch": epoch, "seq": 63}, "ahead"),
    ):
        joined = chat.enter("bob").ask("join", room="lobby", since=since, last=2)
        assert verdict(joined) == (False, reason) and joined["events"] == [] and "valid" not in joined
        deleted, edited = joined["state"]
        assert (deleted["seq"], deleted["deleted"], "text" in deleted) == (59, True, False)
        assert (edited["seq"], edited["text"], edited["rev"], edited["edited"]) == (60, "edited", 1, True)
        assert len(chat.enter("bob").ask("join", room="lobby", since=since)["state"]) == 50
    for bad in ({"epoch": epoch}, {"seq": 1}, {"epoch": epoch, "seq": -1}, {"epoch": epoch, "seq": "1"}, [], "x"):
        assert code(ann.ask("join", room="lobby", since=bad)) == "bad_request"


def test_five_hundred_at_most(chat: Chat) -> None:
    """A gap of 500 is told whole, one of 501 is not, whether it is in memory or must be read."""
    ann = chat.enter("ann", "lobby")
    say(ann, 501)
    epoch = position(ann)["epoch"]
    for seq, recovered in ((1, True), (0, False), (300, True)):
        for _ in range(2):
            joined = chat.enter("bob").ask("join", room="lobby", since={"epoch": epoch, "seq": seq})
            assert verdict(joined) == (recovered, "" if recovered else "too_many")
            assert [event["seq"] for event in joined["events"]] == (list(range(seq + 1, 502)) if recovered else [])
            chat.wait(6)


def test_no_gap_between_the_answer_and_what_follows(chat: Chat) -> None:
    """While somebody joins, others speak at every step of it: each number comes exactly once, in the answer or
    after it."""
    ann = chat.enter("ann", "lobby")
    say(ann, 5)
    for n in range(10):
        since = position(ann)
        tab = Tab(chat)
        ann.send("message", room="lobby", text="before")
        tab.send("hello", token=chat.token("u_bob"), rooms={"lobby": since} if n % 2 else {})
        tab.send("join", room="lobby", since=since)
        count = 1
        while chat.store.busy:
            ann.send("message", room="lobby", text="between two steps")
            count += 1
            chat.store.pump.run_one(10.0)
            if "lobby" in tab.near.session.rooms:
                break
        chat.settle()
        first = int(str(since["seq"])) + 1
        hello, joined = tab.answer(1)["rooms"].get("lobby", {"events": []}), tab.answer(2)
        told = {event["seq"] for answer in (hello, joined) for event in answer["events"]}
        live = [event["seq"] for event in tab.told("message")]
        assert verdict(joined) == (True, "")
        assert told | set(live) == set(range(first, first + count))
        last = (hello if n % 2 else joined)["seq"]
        assert live == list(range(last + 1, first + count))
        tab.lose()


# --- pages and searches ---


def test_history(chat: Chat) -> None:
    """Pages below, above and around a number; the newest; at most 200; one side at a time."""
    ann = chat.enter("ann", "lobby")
    say(ann, 230)

    def page(**ask: int) -> tuple[int, int, bool]:
        reply = ann.ask("history", room="lobby", **ask)
        found = [message["seq"] for message in reply["messages"]]
        assert found == list(range(found[0], found[-1] + 1))
        return found[0], found[-1], reply["more"]

    assert page() == (181, 230, True)
    assert page(limit=10**9) == (31, 230, True)
    assert page(limit=0) == (230, 230, True)
    assert page(before=100, limit=10) == (90, 99, True)
    assert page(before=6, limit=10) == (1, 5, False)
    assert page(after=100, limit=10) == (101, 110, True)
    assert page(after=225, limit=10) == (226, 230, False)
    assert page(around=100, limit=10) == (95, 105, True)
    assert page(around=1, limit=10) == (1, 6, True)
    assert page(around=230, limit=1) == (230, 230, True)
    assert ann.ask("history", room="lobby", before=1)["messages"] == []
    assert code(ann.ask("history", room="lobby", before=1, after=1)) == "bad_request"
    assert code(ann.ask("history", room="lobby", before=-1)) == "bad_request"
    assert code(ann.ask("history", room="attic")) == "not_joined"


def test_the_raw_log(chat: Chat) -> None:
    """`events` pages through all entries after a number."""
    ann = chat.enter("ann", "lobby")
    say(ann, 520)
    reply = ann.ask("events", room="lobby", after=10, limit=10**9)
    assert [event["seq"] for event in reply["events"]] == list(range(11, 511))
    assert (reply["more"], reply["seq"], reply["room"]) == (True, 520, "lobby")
    reply = ann.ask("events", room="lobby", after=510)
    assert len(reply["events"]) == 10 and reply["more"] is False
    for after in (520, 9999):
        assert ann.ask("events", room="lobby", after=after)["events"] == []


def test_reactions_show_whose_they_are(chat: Chat) -> None:
    """Each asker sees which reactions are its own, in history, in the state of a join and in search."""
    ann, bob = chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    ann.ask("message", room="lobby", text="hi there")
    bob.ask("react", room="lobby", ref=1, emoji="👍")
    for tab, me in ((ann, False), (bob, True)):
        (message,) = tab.ask("history", room="lobby")["messages"]
        (state,) = tab.ask("join", room="lobby", last=5)["state"]
        assert message["reactions"] == state["reactions"] == {"👍": {"n": 1, "me": me}}


def test_search(chat: Chat) -> None:
    """A search looks into the rooms one is in, or into one, page by page; 上海 is found in 我在上海工作."""
    ann = chat.enter("ann", "lobby", "attic")
    bob = chat.enter("bob", "lobby")
    for n in range(3):
        ann.ask("message", room="lobby", text=f"我在上海工作 {n}")
        ann.ask("message", room="attic", text=f"上海 fox {n}")
    hits = ann.ask("search", q="上海")["hits"]
    assert [(hit["room"], hit["seq"]) for hit in hits] == [(r, n) for n in (3, 2, 1) for r in ("attic", "lobby")]
    assert [hit["room"] for hit in bob.ask("search", q="上海")["hits"]] == ["lobby"] * 3
    assert ann.ask("search", q="上海 fo", room="attic")["hits"][0]["text"] == "上海 fox 2"
    assert code(bob.ask("search", q="上海", room="attic")) == "not_joined"
    found, before = [], None
    while True:
        page = ann.ask("search", q="上海", limit=4, before=before)
        found += page["hits"]
        if "next" not in page:
            break
        before = page["next"]
    assert found == hits
    for q in ("", "  ", "x" * 201):
        assert code(ann.ask("search", q=q)) == "bad_request"
    assert ann.ask("search", q="?")["hits"] == []


def test_read_marks(chat: Chat) -> None:
    """A mark never goes back, is never above the top, counts what is unread, and reaches one's other devices."""
    ann, phone, bob = chat.enter("ann", "lobby"), chat.enter("ann", "lobby"), chat.enter("bob", "lobby")
    for text in ("1", "2 @ann", "3", "4 @ann"):
        bob.ask("message", room="lobby", text=text)
    for tab in (ann, phone, bob):
        tab.told()
    head = {"room": "lobby", "seq": 2, "unread": 2, "mentions": 1}
    assert ann.ask("read", room="lobby", seq=2) == {"type": "ok", "id": 2, **head}
    assert phone.told() == [{"type": "read", **head}] and ann.told() == bob.told() == []
    assert phone.ask("read", room="lobby", seq=1)["seq"] == 2
    assert [event["seq"] for event in ann.told("read")] == [2]
    assert phone.ask("read", room="lobby", seq=10**9)["seq"] == 4
    chat.restart()
    ann = chat.enter("ann")
    joined = ann.ask("join", room="lobby")
    assert (joined["read"], joined["unread"], joined["mentions"]) == (4, 0, 0)
    joined = chat.enter("bob").ask("join", room="lobby")
    assert (joined["read"], joined["unread"]) == (0, 0)


def test_marks_of_two_devices_at_once(chat: Chat) -> None:
    """Whatever two devices report at the same time, what they are told never goes back."""
    bob = chat.enter("bob", "lobby")
    say(bob, 30)
    ann, phone = chat.enter("ann", "lobby"), chat.enter("ann", "lobby")
    for n in range(1, 30, 2):
        ann.send("read", room="lobby", seq=n)
        phone.send("read", room="lobby", seq=n + 1)
    for tab in (ann, phone):
        told = [event["seq"] for event in tab.told("read")]
        assert told == sorted(told)
    assert chat.enter("ann").ask("join", room="lobby")["read"] == 30


def test_rooms(chat: Chat) -> None:
    """The list shows rooms anyone may find and those one is in, with what is unread there."""
    ann, bob = chat.enter("ann", "lobby", "empty"), chat.enter("bob", "lobby", "attic")
    bob.ask("message", room="lobby", text="hi @ann")
    bob.ask("message", room="attic", text="ho")
    bob.ask("message", room="@u_eve", text="psst")
    listed = {room.pop("room"): room for room in ann.ask("rooms")["rooms"]}
    assert listed == {
        "lobby": {"seq": 1, "unread": 1, "mentions": 1, "joined": True},
        "attic": {"seq": 1, "unread": 1, "mentions": 0, "joined": False},
        "empty": {"seq": 0, "unread": 0, "mentions": 0, "joined": True},
    }
    assert "dm:u_bob:u_eve" in {room["room"] for room in bob.ask("rooms")["rooms"]}


@pytest.mark.parametrize("room", ["", " ", "@", "@x", "dm:a", "x" * 65, "张" * 67, "a\nb", "a\u200bb", "\u202ex"])
def test_names_no_room_has(chat: Chat, room: str) -> None:
    """Such a room cannot be joined."""
    assert code(chat.enter("ann").ask("join", room=room)) == "no_room"

"""What was said, as it stands now: edits, deletions, reactions, pages of history."""

from __future__ import annotations

import pytest
from desk import Desk, seqs
from fakes import ANN, BOB

from chatservice.domain.errors import Code, Refused
from chatservice.domain.events import Body, Deleted, Edited, Moderated, Reacted, Said, User
from chatservice.domain.message import REACTION_KINDS, Message, Tally
from chatservice.domain.ports import Unread

EVE = User("u_eve", "Eve")


def refused(desk: Desk, body: Body, *, as_moderator: bool = False) -> Refused:
    with pytest.raises(Refused) as refusal:
        desk.put(body, as_moderator=as_moderator)
    return refusal.value


def test_a_message_as_it_was_said(desk: Desk) -> None:
    """All that was said with it is kept with it, also after a restart."""
    answer = desk.put(Said(BOB, "hi @Ann", True, "c1", 7, (ANN.id,), {"a": [1, None], "张": {"b": 0.5}}))
    wanted = Message(
        1, answer.ts, BOB, "hi @Ann", 0, False, True, 7, (ANN.id,), {"a": [1, None], "张": {"b": 0.5}}, {}
    )
    assert desk.message(1) == wanted
    desk.reopen()
    assert desk.message(1) == wanted


def test_editing(desk: Desk) -> None:
    """An edit changes the text and counts the revisions; the entry tells the revision it made."""
    desk.say("one")
    assert [desk.edit(1, text, rev).seq for rev, text in enumerate(("two", "three"))] == [2, 3]
    assert (desk.message(1).text, desk.message(1).rev) == ("three", 2)
    assert [entry.body.rev for entry in desk.sink.entries[1:]] == [1, 2]
    assert desk.message(1).ts == desk.sink.entries[0].ts


def test_what_cannot_be_edited(desk: Desk) -> None:
    """A stale revision, another's message, what is no message, what was deleted: refused, and nothing is kept."""
    desk.say("one")
    desk.edit(1, "two")
    stale = refused(desk, Edited(ANN, 1, "x", 0))
    assert stale.code is Code.CONFLICT and stale.params == {"rev": 1}
    assert refused(desk, Edited(ANN, 1, "x", 2)).code is Code.CONFLICT
    foreign = refused(desk, Edited(BOB, 1, "x", 1), as_moderator=True)
    assert (foreign.code, foreign.about) == (Code.FORBIDDEN, "not_yours")
    for ref in (0, 2, 3, 99):  # 2 is an edit
        assert refused(desk, Edited(ANN, ref, "x", 0)).code is Code.NO_MESSAGE
    desk.delete(1)
    assert refused(desk, Edited(ANN, 1, "x", 1)).code is Code.NO_MESSAGE
    assert desk.read().top == 3 and len(desk.sink.entries) == 3


def test_deleting(desk: Desk) -> None:
    """The words of a deleted message are in no entry, no page, no search; its place stays."""
    desk.put(Said(ANN, "secret words", mentions=(BOB.id,), meta={"secret": "words"}))
    desk.edit(1, "secret again")
    desk.react(1, "👍", BOB)
    desk.say("after")
    desk.delete(1)
    for _ in range(2):
        assert seqs(desk.read()) == seqs(desk.read_back()) == [1, 2, 3, 4, 5]
        for page in (desk.read(), desk.read_back()):
            assert "secret" not in repr(page) and "words" not in repr(page)
            assert page.entries[0].body == Said(ANN, "", erased=True)
            assert page.entries[1].body == Edited(ANN, 1, "", 1, erased=True)
            assert page.entries[4].body == Deleted(ANN, 1)
        gone = desk.message(1)
        assert gone == Message(1, gone.ts, ANN, "", 1, deleted=True)
        assert seqs(desk.history()) == [1, 4]
        assert desk.texts("secret") == desk.texts("words") == desk.texts("again") == []
        assert desk.ask("unread", "lobby", BOB.id, 0) == Unread(1, 0)
        desk.reopen()


def test_who_may_delete(desk: Desk) -> None:
    """The author and moderators; nobody else, and nothing twice."""
    desk.say("a")
    desk.say("b")
    foreign = refused(desk, Deleted(BOB, 1))
    assert (foreign.code, foreign.about) == (Code.FORBIDDEN, "not_yours")
    desk.delete(1, BOB, as_moderator=True)
    desk.delete(2, ANN)
    for ref in (1, 2, 3, 9):
        assert refused(desk, Deleted(ANN, ref), as_moderator=True).code is Code.NO_MESSAGE
    assert refused(desk, Reacted(ANN, 1, "👍", True)).code is Code.NO_MESSAGE
    assert desk.read().top == 4


def test_reacting(desk: Desk) -> None:
    """A reaction counts people, once each; one that changes nothing is no entry and answers with number 0."""
    desk.say("hi")
    assert desk.react(1, "👍").seq == 2
    assert (desk.react(1, "👍").seq, desk.react(1, "👍", BOB).seq, desk.react(1, "🎉", BOB).seq) == (0, 3, 4)
    assert desk.react(1, "🎉", on=False).seq == 0  # Ann never put it there
    assert desk.message(1, ANN).reactions == {"👍": Tally(2, True), "🎉": Tally(1, False)}
    assert desk.message(1, BOB).reactions == {"👍": Tally(2, True), "🎉": Tally(1, True)}
    assert desk.message(1, EVE).reactions == {"👍": Tally(2, False), "🎉": Tally(1, False)}
    desk.reopen()
    assert desk.react(1, "👍", on=False).seq == 5
    assert desk.react(1, "👍", BOB, on=False).seq == 6
    assert desk.message(1, BOB).reactions == {"🎉": Tally(1, True)}
    assert [entry.body.n for entry in desk.read(1).entries] == [1, 2, 1, 1, 0]
    assert [entry.body.n for entry in desk.sink.entries] == [1, 0]


def test_reactions_keep_their_order(desk: Desk) -> None:
    """Emoji stand in the order in which they were first used."""
    desk.say("hi")
    for emoji in ("🦁", "🅰️", "🍎"):
        desk.react(1, emoji)
    desk.react(1, "🅰️", BOB)
    assert list(desk.message(1).reactions) == ["🦁", "🅰️", "🍎"]
    desk.react(1, "🦁", on=False)
    desk.react(1, "🦁")
    assert list(desk.message(1).reactions) == ["🅰️", "🍎", "🦁"]


def test_twenty_kinds_of_reactions(desk: Desk) -> None:
    """A message takes 20 different emoji; more people may use them, and one that is given up makes room."""
    desk.say("hi")
    kinds = [chr(0x1F600 + n) for n in range(REACTION_KINDS + 1)]
    for emoji in kinds[:20]:
        desk.react(1, emoji)
    assert refused(desk, Reacted(BOB, 1, kinds[20], True)).code is Code.LIMIT
    desk.react(1, kinds[0], BOB)
    assert refused(desk, Reacted(ANN, 1, kinds[20], True)).code is Code.LIMIT
    desk.react(1, kinds[5], on=False)
    assert desk.react(1, kinds[20], BOB).seq > 0
    assert len(desk.message(1).reactions) == 20 == REACTION_KINDS


def test_history_by_pages(desk: Desk) -> None:
    """The newest, those next below, those next above; `more` says whether others lie beyond."""
    for n in range(1, 8):
        desk.say(str(n))
        desk.react(2 * n - 1, "👍")  # takes every even number
    for ask, wanted, more in (
        ({"limit": 3}, [9, 11, 13], True),
        ({"limit": 7}, [1, 3, 5, 7, 9, 11, 13], False),
        ({"limit": 2, "before": 9}, [5, 7], True),
        ({"limit": 3, "before": 8}, [3, 5, 7], True),
        ({"limit": 3, "before": 6}, [1, 3, 5], False),
        ({"limit": 2, "before": 1}, [], False),
        ({"limit": 2, "before": 0}, [], False),
        ({"limit": 2, "after": 0}, [1, 3], True),
        ({"limit": 2, "after": 6}, [7, 9], True),
        ({"limit": 3, "after": 8}, [9, 11, 13], False),
        ({"limit": 3, "after": 13}, [], False),
        ({"limit": 3, "after": 99}, [], False),
    ):
        past = desk.history(**ask)  # type: ignore[arg-type]
        assert (seqs(past), past.more) == (wanted, more), ask
        assert past.epoch == desk.read(0, 0).epoch


def test_history_of_an_empty_room(desk: Desk) -> None:
    """It is empty, and it does not make the room be."""
    past = desk.history()
    assert (past.messages, past.more) == ((), False)
    assert desk.ask("room_names", 10, "u_eve") == ()
    assert desk.say("first").epoch == past.epoch


def test_nothing_makes_a_room_but_an_entry(desk: Desk) -> None:
    """A room in which only refusals happened is not on the list, and neither are conversations and streams."""
    for body in (Edited(ANN, 1, "x", 0), Deleted(ANN, 1), Reacted(ANN, 1, "👍", True)):
        assert refused(desk, body).code is Code.NO_MESSAGE
    for room in ("dm:u_ann:u_bob", "@u_ann"):
        desk.say("hi", room=room)
    assert desk.ask("room_names", 10, "u_eve") == ()
    for room in ("DM:shouting", "dmitri", "attic"):  # only `dm:` is reserved
        desk.clock.now += 1
        desk.say("hi", room=room)
    desk.put(Moderated(ANN, "lock", value="on"), "attic")
    assert desk.ask("room_names", 10, "u_eve") == (("attic", 2), ("dmitri", 1), ("DM:shouting", 1))
    assert desk.ask("room_names", 2, "u_eve") == (("attic", 2), ("dmitri", 1))
    desk.clock.now += 1
    desk.say("ho", room="DM:shouting")
    assert desk.ask("room_names", 1, "u_eve") == (("DM:shouting", 2),)


def test_rooms_do_not_share_messages(desk: Desk) -> None:
    """The same number in another room is another message."""
    desk.say("here")
    desk.say("there", room="attic")
    desk.edit(1, "over there", room="attic")
    desk.react(1, "👍", room="attic")
    desk.delete(1)
    assert desk.message(1, room="attic").text == "over there"
    assert desk.message(1, room="attic").reactions == {"👍": Tally(1, True)}
    assert desk.message(1).deleted and desk.message(1).reactions == {}

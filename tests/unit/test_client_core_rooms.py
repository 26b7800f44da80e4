"""The client core's rooms: what it has, what it lacks, and how it gets that."""

from __future__ import annotations

import pytest
from clients import BOB, ME, Frame, Talker, final, in_room, joined, message, of

from chatservice.client.events import Entry, Failed, Replied, RoomJoined, RoomLost, Told, Truncated


def seqs(talker: Talker, room: str = "tea") -> list[int]:
    return [shown["seq"] for shown in talker.core.view(room).messages]


def told(talker: Talker, room: str = "tea") -> list[int]:
    """The numbers of the entries it told, in its order."""
    return [entry.seq for entry in of(Entry, talker.told) if entry.room == room]


def test_the_first_join() -> None:
    """The room begins with its last messages; the request is answered; live messages follow."""
    talker = Talker()
    request = talker.core.join("tea", last=2)
    talker.open()
    talker.welcome()
    assert talker.last("join")["last"] == 2 and "since" not in talker.last("join")
    result = joined(7, state=[final(6), final(7)])
    new = talker.answer("join", **result)
    assert of(RoomJoined, new)[0].was_reset and of(Replied, new)[0].id == request
    assert seqs(talker) == [6, 7] and talker.core.rooms == ["tea"]
    assert [type(event) for event in talker.hear(message(8))] == [Entry]
    assert seqs(talker) == [6, 7, 8] and talker.core.view("tea")[8]["text"] == "message 8"


def test_a_recovered_room() -> None:
    """After a lost connection the missed events come with hello and are told once each."""
    talker = in_room(final(1))
    talker.hear(message(2))
    hello = talker.come_back({"tea": joined(4, events=[message(3), message(4)], epoch="e2")})
    assert hello["rooms"]["tea"] == {"epoch": "e1", "seq": 2}
    assert told(talker) == [2, 3, 4] and seqs(talker) == [1, 2, 3, 4]
    assert not of(RoomJoined, talker.told)[-1].was_reset
    assert len(talker.asks("join")) == 1, "hello has joined already"
    assert talker.come_back({"tea": joined(4, events=[], epoch="e2")})["rooms"]["tea"]["epoch"] == "e2"


def test_a_batch() -> None:
    """Its events are taken one by one: those that were told are not told again, and a gap in it is asked for."""
    talker = in_room(final(1))
    assert "batch" in talker.last("hello")["caps"]
    new = talker.tell("batch", events=[message(2), {"type": "count", "room": "tea", "n": 5012}, message(4)])
    assert [type(event) for event in new] == [Entry, Told]
    assert talker.last("join")["since"] == {"epoch": "e1", "seq": 2}
    talker.answer("join", **joined(4, events=[message(3), message(4)]))
    talker.tell("batch", events=[message(4), message(5)])
    assert told(talker) == [2, 3, 4, 5]


def test_a_truncated_room() -> None:
    """What did not survive is dropped, then come the events that have those numbers now."""
    talker = in_room(final(1), final(2), final(3))
    answer = joined(3, epoch="e2", reason="truncated", valid=1, events=[message(2, "new"), message(3, "newer")])
    talker.come_back({"tea": answer})
    assert of(Truncated, talker.told) == [Truncated("tea", 1)]
    assert [shown["text"] for shown in talker.core.view("tea").messages] == ["message 1", "new", "newer"]
    assert told(talker) == [2, 3]


def test_a_truncated_change() -> None:
    """If an edit of a surviving message did not survive, nobody knows its old words: the room starts over."""
    talker = in_room(final(1))
    talker.tell("edit", room="tea", seq=2, ts=1, ref=1, by="u_2", text="changed", rev=1)
    talker.come_back({"tea": joined(1, epoch="e2", reason="truncated", valid=1, events=[])})
    assert "since" not in talker.last("join")
    talker.answer("join", **joined(1, epoch="e2", state=[final(1)]))
    assert talker.core.view("tea").messages == [final(1)]
    talker.tell("react", room="tea", seq=2, ts=1, ref=1, emoji="👍", by="u_2", on=True, n=1)
    assert of(Truncated, talker.tell("truncate", room="tea", after=1, epoch="e3", seq=1))
    assert "since" not in talker.last("join") and len(talker.asks("join")) == 3


@pytest.mark.parametrize("reason", ["epoch", "ahead", "gone", "too_many"])
def test_a_room_that_starts_over(reason: str) -> None:
    """When the position does not hold the view is replaced by the newest messages."""
    talker = in_room(final(1), final(2))
    talker.come_back({"tea": joined(900, reason=reason, state=[final(899), final(900)])})
    last = of(RoomJoined, talker.told)[-1]
    assert (last.was_reset, last.reason) == (True, reason)
    assert seqs(talker) == [899, 900]
    talker.hear(message(901))
    assert told(talker) == [901]


def test_a_gap() -> None:
    """A number that is not the next one makes it join again with `since`, once until that is answered."""
    talker = in_room(seq=5)
    talker.hear(message(8))
    talker.hear(message(9))
    assert talker.since("join") == [None, {"epoch": "e1", "seq": 5}]
    assert told(talker) == []
    talker.answer("join", **joined(9, events=[message(n) for n in (6, 7, 8, 9)]))
    talker.hear(message(10))
    assert told(talker) == [6, 7, 8, 9, 10] and len(talker.asks("join")) == 2


def test_duplicates() -> None:
    """What it has already is not told again, live or in an answer."""
    talker = in_room(final(1), final(2))
    assert talker.hear(message(2)) == [] and talker.hear(message(1)) == []
    talker.hear(message(4))
    talker.hear(message(3))  # it may come while the join is under way
    talker.answer("join", **joined(4, events=[message(3), message(4)]))
    assert told(talker) == [3, 4] and seqs(talker) == [1, 2, 3, 4]


def test_an_answer_that_is_not_whole() -> None:
    """An answer that says nothing is missing, and something is, makes it start over."""
    talker = in_room(seq=5)
    talker.hear(message(8))
    talker.answer("join", **joined(8, events=[message(6), message(8)]))
    assert talker.since("join")[-1] is None
    talker.answer("join", **joined(8, state=[final(7), final(8)]))
    assert seqs(talker) == [7, 8]


def test_skip() -> None:
    """`skip` takes the place of a number it may not see."""
    talker = in_room(seq=5)
    assert talker.tell("skip", room="tea", seq=6) == []
    talker.hear(message(7))
    assert told(talker) == [7] and len(talker.asks("join")) == 1


def test_a_durable_type_nobody_knows() -> None:
    """It counts as a number like any other."""
    talker = in_room(seq=5)
    talker.tell("poll", room="tea", seq=6, ts=1, question="?")
    talker.hear(message(7))
    assert told(talker) == [6, 7] and seqs(talker) == [7]


def test_tops() -> None:
    """A ping shows which room it lacks something of; that one is joined again, once for each top."""
    talker = in_room(seq=5)
    for _ in range(2):
        talker.tell("ping", t=1, tops={"tea": 5, "@me": 0, "nowhere": 9})
    assert len(talker.asks("join")) == 1
    talker.tell("ping", t=1, tops={"tea": 7})
    talker.tell("ping", t=1, tops={"tea": 8})  # the answer to the first will tell
    assert talker.since("join")[1:] == [{"epoch": "e1", "seq": 5}]
    talker.answer("join", **joined(5, events=[]))
    talker.tell("ping", t=1, tops={"tea": 7})
    assert len(talker.asks("join")) == 2
    talker.tell("ping", t=1, tops={"tea": 8})
    assert len(talker.asks("join")) == 3


def test_lag() -> None:
    """What was left out is fetched page by page with `events`; what comes meanwhile is not lost."""
    talker = in_room(seq=5)
    talker.tell("lag", room="tea", **{"from": 6, "to": 9}, epoch="e1")
    talker.hear(message(10))
    fetch = talker.last("events")
    assert (fetch["room"], fetch["after"]) == ("tea", 5)
    talker.answer("events", room="tea", events=[message(6), message(7)], more=True, epoch="e1", seq=9)
    assert talker.last("events")["after"] == 7
    talker.answer("events", room="tea", events=[message(8), message(9)], more=False, epoch="e1", seq=9)
    assert talker.last("events")["after"] == 9, "number 10 came after the log had been read"
    talker.answer("events", room="tea", events=[message(10)], more=False, epoch="e1", seq=10)
    assert told(talker) == [6, 7, 8, 9, 10]
    assert len(talker.asks("events")) == 3 and len(talker.asks("join")) == 1


@pytest.mark.parametrize("answer", [{"epoch": "e2"}, {"events": [message(8)]}, {"events": []}])
def test_a_lag_that_cannot_be_fetched(answer: Frame) -> None:
    """If `events` does not bring it on it joins again, which always does."""
    talker = in_room(seq=5)
    talker.tell("lag", room="tea", **{"from": 6, "to": 9}, epoch="e1")
    fetched = {"room": "tea", "events": [message(6)], "more": False, "epoch": "e1", "seq": 9}
    talker.answer("events", **(fetched | answer))
    assert talker.since("join")[-1] == {"epoch": "e1", "seq": 5}


def test_a_lag_under_another_epoch() -> None:
    """A lag that names an epoch it does not know makes it join again."""
    talker = in_room(seq=5)
    talker.tell("lag", room="tea", **{"from": 6, "to": 9}, epoch="e2")
    assert talker.asks("events") == [] and talker.since("join")[-1] == {"epoch": "e1", "seq": 5}
    talker.tell("lag", room="nowhere", **{"from": 6, "to": 9}, epoch="e2")


def test_a_refused_fetch() -> None:
    """If `events` is refused it joins again."""
    talker = in_room(seq=5)
    talker.tell("lag", room="tea", **{"from": 6, "to": 9}, epoch="e1")
    talker.refuse("events", "unavailable", temporary=True, retry_ms=200)
    assert len(talker.asks("join")) == 1
    talker.wait(0.2)
    assert talker.since("join")[1:] == [{"epoch": "e1", "seq": 5}]


@pytest.mark.parametrize(("after", "left"), [(2, [1, 2]), (None, [])])
def test_truncate_live(after: int | None, left: list[int]) -> None:
    """Live too: numbers that did not survive are dropped, and then stand for something else."""
    talker = in_room(final(1), final(2), final(3))
    top = after or 0
    assert talker.tell("truncate", room="tea", after=after, epoch="e2", seq=top) == [Truncated("tea", top)]
    assert seqs(talker) == left
    talker.hear(message(top + 1, "another"))
    assert told(talker) == [top + 1] and talker.core.view("tea")[top + 1]["text"] == "another"
    talker.come_back({"tea": joined(top + 1, events=[])})
    assert talker.last("hello")["rooms"]["tea"] == {"epoch": "e2", "seq": top + 1}


def test_truncate_with_more_to_come() -> None:
    """When the room has gone on already, it joins again to get that."""
    talker = in_room(final(1), final(2), final(3))
    talker.tell("truncate", room="tea", after=1, epoch="e2", seq=4)
    assert talker.since("join")[-1] == {"epoch": "e2", "seq": 1}


def test_epoch_live() -> None:
    """A new epoch with nothing lost is only remembered."""
    talker = in_room(seq=5)
    assert talker.tell("epoch", room="tea", epoch="e2") == []
    assert talker.come_back({"tea": joined(5, events=[])})["rooms"]["tea"] == {"epoch": "e2", "seq": 5}


def test_a_room_that_refuses_for_good() -> None:
    """It is given up: told once, and not tried again."""
    talker = Talker()
    request = talker.core.join("tea")
    talker.open()
    talker.welcome()
    new = talker.refuse("join", "forbidden")
    assert new == [Failed(request, "forbidden", "forbidden!"), RoomLost("tea", "forbidden")]
    talker.come_back()
    assert len(talker.asks("join")) == 1 and talker.core.rooms == []


def test_a_room_that_refuses_for_a_moment() -> None:
    """It is tried again after `retry_ms`, or after a second; the request waits for that."""
    talker = Talker()
    request = talker.core.join("tea")
    talker.open()
    talker.welcome()
    assert talker.refuse("join", "unavailable", temporary=True) == []
    talker.wait(0.9)
    assert len(talker.asks("join")) == 1
    talker.wait(0.2)
    assert len(talker.asks("join")) == 2
    assert of(Replied, talker.answer("join", **joined(0)))[0].id == request


def test_rooms_refused_within_hello() -> None:
    """Hello says for each room whether it could be joined; one refusal does not touch the others."""
    talker = in_room(seq=5)
    talker.core.join("milk")
    talker.answer("join", **joined(1, room="milk"))
    ban = {"room": "tea", "error": {"code": "forbidden", "message": "no", "temporary": False}}
    talker.come_back({"tea": ban, "milk": joined(2, room="milk", events=[message(2, room="milk")])})
    assert of(RoomLost, talker.told) == [RoomLost("tea", "forbidden")]
    assert talker.core.rooms == ["milk"] and told(talker, "milk") == [2]
    later = {"room": "milk", "error": {"code": "busy", "message": "", "temporary": True, "retry_ms": 300}}
    talker.come_back({"milk": later})
    talker.wait(0.3)
    assert talker.last("join")["since"] == {"epoch": "e1", "seq": 2}


def test_part() -> None:
    """A room that was left is not heard of any more, not even by what was under way."""
    talker = in_room(seq=5)
    request = talker.core.part("tea")
    assert talker.core.rooms == [] and talker.hear(message(6)) == []
    assert of(Replied, talker.answer("part", room="tea"))[0].id == request
    assert talker.come_back()["rooms"].keys() == {"@me"}
    with pytest.raises(KeyError):
        talker.core.view("tea")


def test_part_before_the_answer() -> None:
    """Whoever leaves before the join was answered is told so, and the answer changes nothing."""
    talker = Talker()
    talker.open()
    talker.welcome()
    request = talker.core.join("tea")
    talker.core.part("tea")
    assert Failed(request, "parted") in talker.answer("join", **joined(0))
    assert talker.core.rooms == []


def test_part_while_offline() -> None:
    """It is done at once; a hello that is under way is put right."""
    talker = in_room(seq=5)
    talker.close()
    talker.wait(until=talker.core.due)
    talker.open()
    request = talker.core.part("tea")
    talker.welcome(rooms={"tea": joined(6, events=[message(6)])})
    assert talker.last("part")["room"] == "tea" and talker.hear(message(7)) == []
    assert of(Replied, talker.told)[-1] == Replied(request, {"room": "tea"}) and told(talker) == []


def test_join_and_part_and_join() -> None:
    """Only the last wish counts, and only its answer."""
    talker = Talker()
    talker.open()
    talker.welcome()
    talker.core.join("tea")
    talker.core.part("tea")
    request = talker.core.join("tea")
    first, second = talker.asks("join")
    talker.tell("ok", id=first["id"], **joined(4, state=[final(4)]))
    assert seqs(talker) == []
    new = talker.tell("ok", id=second["id"], **joined(5, state=[final(5)]))
    assert of(Replied, new)[0].id == request and seqs(talker) == [5]


def test_direct_conversations() -> None:
    """`@u_2` is the same room for both ends, under the name the server gives it."""
    talker = Talker()
    early = talker.core.join("@u_2")
    talker.open()
    talker.welcome()
    assert talker.last("join")["room"] == "@u_2", "who we are was not known yet"
    new = talker.answer("join", **joined(1, room="dm:u_1:u_2", state=[final(1)]))
    assert of(Replied, new)[0].id == early and talker.core.rooms == ["dm:u_1:u_2"]
    talker.hear(message(2, room="dm:u_1:u_2"))
    assert seqs(talker, "@u_2") == [1, 2]
    talker.core.join("@u_2")
    assert talker.last("join")["room"] == "dm:u_1:u_2" and talker.core.rooms == ["dm:u_1:u_2"]


def test_a_direct_conversation_begun_by_a_message() -> None:
    """To say something there makes one a member; the room is joined when it is heard of."""
    talker = Talker()
    talker.open()
    talker.welcome()
    talker.core.say("@u_2", "hi")
    assert talker.last("message")["room"] == "dm:u_1:u_2"
    talker.hear(message(1, "hi", ME, room="dm:u_1:u_2"))
    talker.answer("join", **joined(1, room="dm:u_1:u_2", state=[final(1, "hi", ME)]))
    assert seqs(talker, "@u_2") == [1]


@pytest.mark.parametrize(("action", "code"), [("kick", "kicked"), ("ban", "banned")])
def test_thrown_out(action: str, code: str) -> None:
    """Whoever is kicked or banned is told, and does not come back into that room by itself."""
    talker = in_room(seq=5)
    talker.tell("mod", room="tea", seq=6, ts=1, action=action, by="u_2", user=BOB)
    assert talker.core.rooms == ["tea"]
    new = talker.tell("mod", room="tea", seq=7, ts=1, action=action, by="u_2", user=ME)
    assert [type(event) for event in new] == [Entry, RoomLost] and of(RoomLost, new)[0].code == code
    assert talker.come_back()["rooms"].keys() == {"@me"}


def test_what_is_not_kept() -> None:
    """Who comes, goes, types or has read is told as it is and changes no position."""
    talker = in_room(seq=5)
    for type, more in (("enter", {"n": 2}), ("typing", {"on": True}), ("read", {"seq": 9}), ("count", {"n": 300})):
        (event,) = talker.tell(type, room="tea", user=BOB, **more)
        assert isinstance(event, Told) and event.type == type
    assert of(Told, talker.tell("presence", user=BOB, status="away", conns=1))
    talker.hear(message(6))
    assert told(talker) == [6] and len(talker.asks("join")) == 1


def test_many_rooms() -> None:
    """Hello takes 128 rooms; the rest is joined after it."""
    talker = Talker()
    names = [f"room {n}" for n in range(130)]
    for name in names:
        talker.core.join(name)
    talker.open()
    talker.welcome()
    for ask in talker.asks("join"):
        talker.tell("ok", id=ask["id"], **joined(3, room=ask["room"]))
    talker.close()
    talker.wait(until=talker.core.due)
    hello = talker.open()
    assert len(hello["rooms"]) == 128
    before = len(talker.asks("join"))
    talker.welcome(rooms={name: joined(3, room=name, events=[]) for name in hello["rooms"] if name != "@me"})
    late = talker.asks("join")[before:]
    assert {ask["room"] for ask in late} == set(names) - set(hello["rooms"])
    assert all(ask["since"] == {"epoch": "e1", "seq": 3} for ask in late)


def test_another_user() -> None:
    """If the server takes us for somebody else, every room starts over: other marks are ours now."""
    talker = in_room(final(1, reactions={"👍": {"n": 1, "me": True}}))
    talker.come_back({"tea": joined(1, events=[])}, user={"id": "u_9", "nick": "user9"})
    assert talker.since("join")[-2:] == [None, None]
    assert {ask["room"] for ask in talker.asks("join")[-2:]} == {"@me", "tea"}

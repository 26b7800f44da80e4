"""Rooms with so many in them that they are told otherwise. Here big begins at four, so that tests stay quick."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatservice.dialects.full_voice import batching, full_voice
from chatservice.domain.events import Entry, Said, User
from chatservice.domain.limits import FRAME_BYTES, BigRooms
from wire.house import House
from wire.people import TextPerson, WebSocketPerson

SIZES = BigRooms(slice_peers=2, hot_users=4, every_s=0.25)


class Full(WebSocketPerson):
    """On chat.v1, in the lobby.

    :ivar writes: how many writes the last frames came in.
    """

    def __init__(self, house: House, *caps: str, **hello: Any) -> None:
        super().__init__(house, "/v1")
        self.send("hello", rooms={"lobby": {}}, caps=caps, **hello)
        (self.greeting,) = [frame for frame in self.told() if frame["type"] == "ok"]
        self.epoch = self.greeting["rooms"]["lobby"]["epoch"]

    def send(self, type: str, **members: Any) -> None:
        """A command."""
        self.say(json.dumps({"type": type, "id": type, **members}))

    def told(self) -> list[dict[str, Any]]:
        """The frames that came since the last call."""
        self.writes = len(self.transport.writes)
        self.transport.writes.clear()
        return [json.loads(text) for text in self.texts()]

    def seqs(self) -> list[int]:
        """The numbers of the entries that came since, in batches or alone."""
        frames = [one for frame in self.told() for one in frame.get("events", [frame])]
        return [frame["seq"] for frame in frames if frame["type"] == "message"]


@pytest.fixture
def hot() -> House:
    """A house whose rooms are big at four."""
    return House(sizes=SIZES)


def crowd(house: House, n: int) -> list[TextPerson]:
    """So many on text, who were told of each other."""
    people = [TextPerson(house) for _ in range(n)]
    for one in people:
        one.texts()
    return people


def pause(house: House) -> None:
    """As long as a round is before the next."""
    house.clock.advance(SIZES.every_s)
    house.pump.run()


def test_a_batch(hot: House) -> None:
    """In a hot room an event after a silence comes at once; those of the next 250 ms come in one frame
    to whoever takes batches, one by one but in one write to all others."""
    talker, *_, listener = crowd(hot, 4)
    modern, older = Full(hot, "batch"), Full(hot)
    pause(hot)
    listener.texts(), modern.told(), older.told()
    talker.say("one")
    assert [frame["seq"] for frame in modern.told()] == [frame["seq"] for frame in older.told()] == [1]
    for text in ("two", "three"):
        talker.say(text)
    assert modern.told() == older.told() == []
    pause(hot)
    (batch,) = modern.told()
    singles = older.told()
    assert batch == {"type": "batch", "events": singles}
    assert [(frame["seq"], frame["text"]) for frame in singles] == [(2, "two"), (3, "three")]
    assert modern.writes == older.writes == 1
    assert listener.texts() == ["one", "two", "three"]
    assert hot.troubles == []


def test_a_single_event_is_no_batch(hot: House) -> None:
    """A round of one event is that event."""
    talker, *_ = crowd(hot, 4)
    modern = Full(hot, "batch")
    pause(hot)
    modern.told()
    talker.say("one")
    talker.say("two")
    pause(hot)
    assert [frame["type"] for frame in modern.told()] == ["message", "message"]


def test_a_small_room_knows_no_rounds(hot: House) -> None:
    """Up to the bound everybody is told at once; a room that has cooled down well below it is small again."""
    talker, *_ = crowd(hot, 3)
    modern = Full(hot, "batch")
    for text in ("one", "two"):
        talker.say(text)
    assert modern.seqs() == [1, 2]
    extra = crowd(hot, 3)
    talker.say("three"), talker.say("four")
    assert modern.seqs() in ([], [3])
    pause(hot)
    for one in extra:
        one.leave()
    pause(hot)
    modern.told()
    for text in ("five", "six"):
        talker.say(text)
    assert modern.seqs() == [5, 6]


def test_an_answer_overtakes_nothing(hot: House) -> None:
    """Whoever is answered within the pause is told first what the room was told before, in order and once."""
    talker, *_ = crowd(hot, 4)
    modern = Full(hot, "batch")
    pause(hot)
    modern.told()
    for text in ("one", "two"):
        talker.say(text)
    modern.send("message", room="lobby", text="three", cid="c")
    modern.send("members", room="lobby")
    talker.say("four")
    frames = modern.told()
    assert [frame["seq"] for frame in frames if frame["type"] == "message"] == [1, 2, 3]
    assert [frame["cid"] for frame in frames if "cid" in frame] == ["c"]
    assert [frame["id"] for frame in frames if frame["type"] == "ok"] == ["message", "members"]
    pause(hot)
    assert modern.seqs() == [4]


def test_joining_and_resuming_within_the_pause(hot: House) -> None:
    """The answer to a join holds all up to its number, later rounds bring all above it, and nothing else."""
    talker, *_ = crowd(hot, 4)
    early = Full(hot, "batch")
    pause(hot)
    talker.say("one")
    talker.say("two")
    early.transport.lose()
    hot.pump.run()
    talker.say("three")
    back = Full(hot, "batch")
    back.send("join", room="lobby", since={"epoch": early.epoch, "seq": 1})
    answer = back.told()[-1]
    assert [event["seq"] for event in answer["events"]] == [2, 3] and answer["seq"] == 3
    assert back.greeting["rooms"]["lobby"]["seq"] == 3
    talker.say("four")
    talker.say("five")
    pause(hot), pause(hot)
    assert back.seqs() == [4, 5]


def test_members_by_pages(hot: House) -> None:
    """A room that fits into an answer is shown in the order of arrival; of others each page says how to go on, and
    whoever stays is on exactly one of them."""
    people = crowd(hot, 12)
    full = Full(hot)
    full.send("members", room="lobby")
    whole = full.told()[-1]
    assert len(whole["members"]) == whole["n"] == 13 and "next" not in whole
    assert whole["members"][0]["nick"] == "user1"
    seen, after = [], None
    while True:
        full.send("members", room="lobby", limit=5, after=after)
        page = full.told()[-1]
        seen += [user["id"] for user in page["members"]]
        assert page["n"] <= 13
        people.pop(0).leave()
        full.told()
        after = page.get("next")
        if after is None:
            break
    staying = {user["id"] for user in whole["members"] if user["nick"] not in ("user1", "user2", "user3")}
    assert len(seen) == len(set(seen)) and staying <= set(seen)
    full.send("members", room="lobby", limit=0)
    assert len(full.told()[-1]["members"]) == 1


def test_a_batch_has_a_bound() -> None:
    """What is longer than a frame may be is told in several, all of it and in order."""
    voice: Any = batching(full_voice("en"))
    user = User("u_1", "Ann")
    events = [Entry("lobby", seq, "e", 1, Said(user, "x" * 4000)) for seq in range(1, 101)]
    payloads = voice.batches(events)
    assert 6 < len(payloads) < 10 and all(len(payload) < FRAME_BYTES + 5000 for payload in payloads)
    frames = [json.loads(payload) for payload in payloads]
    seqs = [event["seq"] for frame in frames for event in frame.get("events", [frame])]
    assert seqs == list(range(1, 101))
    assert batching(voice) is voice

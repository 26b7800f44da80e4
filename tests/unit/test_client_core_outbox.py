"""What the client core says: once, in order, whatever happens to connections and servers."""

from __future__ import annotations

import pytest
from clients import Talker, in_room, joined, of

from chatservice.client.events import Failed, Replied
from chatservice.client.outbox import OutboxFull


def texts(talker: Talker) -> list[tuple[str, str]]:
    """Everything it sent, as cid and text."""
    return [(frame["cid"], frame["text"]) for frame in talker.asks("message")]


def take(talker: Talker, seq: int, **more: object) -> list[object]:
    """The server keeps the last message."""
    return list(talker.answer("message", room="tea", seq=seq, ts=seq, dup=False, **more))


def test_say() -> None:
    """A message goes out with its cid; the answer has that as its id."""
    talker = in_room()
    cid = talker.core.say("tea", "hi", reply=3)
    frame = talker.last("message")
    assert frame == {"type": "message", "id": cid, "room": "tea", "cid": cid, "text": "hi", "reply": 3}
    assert talker.core.unsent == 1
    (replied,) = of(Replied, take(talker, 1))
    assert (replied.id, replied.frame["seq"], talker.core.unsent) == (cid, 1, 0)


def test_one_at_a_time_in_each_room() -> None:
    """The next message of a room goes out when the one before is answered; other rooms do not wait."""
    talker = in_room()
    for text in ("one", "two"):
        talker.core.say("tea", text)
    talker.core.say("milk", "elsewhere")
    assert texts(talker) == [("cid1", "one"), ("cid3", "elsewhere")]
    talker.tell("ok", id="cid1", room="tea", seq=1, ts=1, dup=False)
    assert texts(talker)[2:] == [("cid2", "two")]


def test_the_outbox_is_bounded() -> None:
    """The 201st message is not taken, and the program hears of it."""
    talker = Talker()
    for number in range(200):
        talker.core.say("tea", str(number))
    with pytest.raises(OutboxFull):
        talker.core.say("tea", "too much")
    assert talker.core.unsent == 200


def test_said_while_offline() -> None:
    """What is said without a connection is sent when there is one, in order."""
    talker = in_room()
    talker.close()
    talker.core.say("tea", "one")
    talker.core.say("tea", "two")
    assert texts(talker) == []
    talker.come_back({"tea": joined(0, events=[])})
    take(talker, 1)
    take(talker, 2)
    assert texts(talker) == [("cid1", "one"), ("cid2", "two")] and talker.core.unsent == 0


def test_sent_again_under_the_same_cid() -> None:
    """What has no answer when the connection breaks is sent again, each time, until it has one."""
    talker = in_room()
    talker.core.say("tea", "one")
    talker.core.say("tea", "two")
    assert len(texts(talker)) == 1
    for _ in range(3):
        talker.come_back({"tea": joined(0, events=[])})
    assert texts(talker) == [("cid1", "one")] * 4
    (replied,) = of(Replied, talker.answer("message", room="tea", seq=1, ts=1, dup=True))
    assert replied.frame["dup"] is True
    take(talker, 2)
    talker.come_back({"tea": joined(2, events=[])})
    assert texts(talker)[4:] == [("cid2", "two")]


def test_refused_for_good() -> None:
    """A refusal that is not temporary ends it; the next one's turn comes."""
    talker = in_room()
    cid = talker.core.say("tea", "nonsense")
    talker.core.say("tea", "sense")
    assert talker.refuse("message", "muted") == [Failed(cid, "muted", "muted!")]
    assert texts(talker) == [("cid1", "nonsense"), ("cid2", "sense")] and talker.core.unsent == 1


@pytest.mark.parametrize(("more", "wait_s"), [({"retry_ms": 1300}, 1.3), ({}, 1.0)])
def test_refused_for_a_moment(more: dict[str, int], wait_s: float) -> None:
    """It is sent again after `retry_ms`, or a second, and nothing of that room overtakes it."""
    talker = in_room()
    talker.core.say("tea", "one")
    assert talker.refuse("message", "rate_limited", temporary=True, **more) == []
    talker.core.say("tea", "two")
    talker.wait(wait_s - 0.01)
    assert texts(talker) == [("cid1", "one")]
    talker.wait(0.01)
    take(talker, 1)
    assert texts(talker) == [("cid1", "one"), ("cid1", "one"), ("cid2", "two")]


def test_a_wait_ends_with_its_connection() -> None:
    """On another connection nothing need wait for what the last one was told."""
    talker = in_room()
    talker.core.say("tea", "one")
    talker.refuse("message", "rate_limited", temporary=True, retry_ms=60_000)
    talker.come_back({"tea": joined(0, events=[])})
    assert texts(talker) == [("cid1", "one")] * 2


def test_another_user_does_not_repeat() -> None:
    """A cid counts for one user. Taken for somebody else, it sends only what it never sent before."""
    talker = in_room()
    doubtful, fresh = talker.core.say("tea", "maybe there"), talker.core.say("tea", "surely not")
    talker.come_back(user={"id": "u_9", "nick": "user9"})
    assert Failed(doubtful, "lost") in talker.told
    assert talker.last("message")["cid"] == fresh and talker.core.unsent == 1

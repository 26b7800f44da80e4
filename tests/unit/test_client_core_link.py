"""The client core's connection: hello, timers, coming back, staying away."""

from __future__ import annotations

import pytest
from clients import ME, Talker, in_room, joined, of

from chatservice.client.events import Connect, Drop, Failed, NickTaken, Offline, Online, Over, RoomJoined
from chatservice.client.link import State

ALMOST_ONE = 0.999_999


def online(**more: object) -> Talker:
    talker = Talker(**more)
    talker.open()
    talker.welcome()
    return talker


def test_hello_comes_first() -> None:
    """The first frame is a hello with nick, token and language; it is online when that is answered."""
    talker = Talker(nick="Ann", token="t", lang="zh-CN")
    assert talker.core.state is State.CONNECTING and talker.core.next_timer() is None
    hello = talker.open()
    assert (hello["v"], hello["nick"], hello["token"], hello["lang"]) == (1, "Ann", "t", "zh-CN")
    assert "resume" not in hello and hello["rooms"] == {}
    assert talker.core.state is State.CONNECTING
    assert of(Online, talker.welcome()) == [Online(ME)]
    assert talker.core.state is State.ONLINE and talker.core.user == ME


def test_it_comes_back_as_the_same_person() -> None:
    """The next hello carries the guest token, the session and where it stands in each room."""
    talker = in_room(seq=7)
    talker.close()
    talker.wait(until=talker.core.due)
    hello = talker.open()
    assert hello["resume"] == "sess_1" and "token" not in hello
    assert hello["rooms"] == {"@me": {"epoch": "e1", "seq": 0}, "tea": {"epoch": "e1", "seq": 7}}
    talker.welcome(guest_token="g_1", rooms={"tea": joined(7, events=[])})
    talker.close()
    talker.wait(until=talker.core.due)
    assert talker.open()["token"] == "g_1"


def test_a_token_of_ones_own_wins() -> None:
    """Whoever came with a token comes back with it, whatever the server gave meanwhile."""
    talker = Talker(token="mine")
    talker.open()
    talker.welcome(guest_token="g_1")
    talker.close()
    talker.wait(until=talker.core.due)
    assert talker.open()["token"] == "mine"


def test_a_taken_nick() -> None:
    """When the nick is taken it comes in without one, and asks for it again the next time."""
    talker = Talker(nick="Ann")
    talker.open()
    assert talker.refuse("hello", "nick_taken") == [NickTaken("Ann")]
    assert "nick" not in talker.last("hello") and len(talker.asks("hello")) == 2
    talker.welcome()
    assert talker.core.state is State.ONLINE
    talker.close()
    talker.wait(until=talker.core.due)
    assert talker.open()["nick"] == "Ann"


def test_a_new_nick_is_kept() -> None:
    """After it was renamed it comes back under the new nick."""
    talker = online(nick="Ann")
    talker.core.rename("Anna")
    talker.tell("nick", room="@me", user={"id": "u_1", "nick": "Anna"}, was="Ann")
    assert talker.core.user["nick"] == "Anna"
    talker.close()
    talker.wait(until=talker.core.due)
    assert talker.open()["nick"] == "Anna"


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize(("code", "close_code"), [("token_expired", 4005), ("unauthorized", 4500)])
def test_a_guest_token_that_is_no_good_any_more(code: str, close_code: int, answered: bool) -> None:
    """It is forgotten, and hello is said by a new guest on the next connection, also if the answer was lost."""
    talker = online()
    talker.come_back(guest_token="g_1")
    talker.close()
    talker.wait(until=talker.core.due)
    assert talker.open()["token"] == "g_1"
    if answered:
        assert [type(event) for event in talker.refuse("hello", code)] == [Drop, Offline]
    talker.close(close_code)
    assert talker.core.state is State.WAITING
    talker.wait(until=talker.core.due)
    hello = talker.open()
    assert "token" not in hello and "resume" not in hello


def test_a_hello_refused_for_good() -> None:
    """There is no point in another attempt."""
    talker = Talker(token="forged")
    talker.open()
    assert talker.refuse("hello", "unauthorized") == [Drop("unauthorized"), Over("unauthorized", None)]
    assert talker.core.state is State.ENDED and talker.core.reason == "unauthorized"
    assert talker.core.next_timer() is None and talker.close() == []


def test_a_hello_refused_for_a_moment() -> None:
    """It gives up this connection and comes back when it was told to."""
    talker = Talker()
    talker.open()
    told = talker.refuse("hello", "busy", temporary=True, retry_ms=1300)
    assert told == [Drop("busy"), Offline("busy", None, talker.now + 1.3)]
    assert talker.wait(1.2) == [] and talker.wait(0.2) == [Connect()]


@pytest.mark.parametrize(
    ("luck", "waits"), [(0.0, [0.3] * 8), (ALMOST_ONE, [0.8, 1.3, 2.3, 4.3, 8.3, 16.3, 20.3])]
)
def test_backoff(luck: float, waits: list[float]) -> None:
    """It waits 300 ms and a random part of twice as long each time, at most 20 s."""
    talker = Talker()
    talker.luck = luck
    for wait_s in waits:
        talker.open()
        talker.close()
        assert talker.core.state is State.WAITING and talker.core.due is not None
        assert talker.core.due - talker.now == pytest.approx(wait_s, abs=0.01)
        assert talker.wait(until=talker.core.due) == [Connect()]
        assert talker.core.state is State.CONNECTING


@pytest.mark.parametrize(("up_s", "wait_s"), [(9.9, 4.3), (10.0, 0.8)])
def test_backoff_begins_anew_after_ten_seconds_up(up_s: float, wait_s: float) -> None:
    """A connection that lasted ten seconds ends the series; a shorter one goes on with it."""
    talker = Talker()
    talker.luck = ALMOST_ONE
    for _ in range(3):
        talker.close()
        talker.wait(until=talker.core.due)
    talker.open()
    talker.welcome()
    talker.wait(up_s)
    talker.close()
    assert talker.core.due is not None
    assert talker.core.due - talker.now == pytest.approx(wait_s, abs=0.01)


def test_bye_says_when_to_come_back() -> None:
    """`after_ms` wins over the backoff, once."""
    talker = online()
    talker.tell("bye", code="shutdown", reconnect=True, after_ms=3170)
    talker.close(4001)
    assert talker.core.due == talker.now + 3.17
    talker.wait(until=talker.core.due)
    talker.close()
    assert talker.core.due == pytest.approx(talker.now + 0.3)


def test_bye_says_to_stay_away() -> None:
    """After a bye without `reconnect` it does not come back."""
    talker = online()
    assert talker.tell("bye", code="closed", reconnect=False, after_ms=0) == [Drop("closed"), Over("closed", None)]
    assert talker.core.state is State.ENDED


@pytest.mark.parametrize("code", [4500, 4501, 4503, 4505, 4506, 4999])
def test_close_codes_that_end_it(code: int) -> None:
    """4500 to 4999 say: stay away."""
    talker = online()
    assert talker.close(code) == [Over("closed", code)]
    assert talker.core.state is State.ENDED and talker.core.next_timer() is None
    talker.open()
    assert len(talker.asks("hello")) == 1


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1011, 1012, 4001, 4004, 4005, 4008, 4012, 4499, 5000])
def test_all_other_close_codes_come_back(code: int | None) -> None:
    """Any other end, also none at all, is followed by another attempt."""
    talker = online()
    assert talker.close(code) == [Offline("closed", code, talker.now + 0.3)]
    assert talker.wait(0.3) == [Connect()]


def test_close_codes_with_a_meaning() -> None:
    """4005 makes it forget its guest token, 4010 its positions."""
    talker = in_room(seq=7)
    talker.come_back({"tea": joined(7, events=[])}, guest_token="g_1")
    talker.close(4005)
    talker.wait(until=talker.core.due)
    hello = talker.open()
    assert "token" not in hello and "tea" in hello["rooms"]
    talker.close(4010)
    talker.wait(until=talker.core.due)
    assert talker.open()["rooms"] == {}


def test_ping_is_answered() -> None:
    """A ping gets a pong with its own `t`."""
    talker = online()
    talker.tell("ping", t=123, tops={})
    assert talker.last("pong") == {"type": "pong", "t": 123}


def test_silence_ends_the_connection() -> None:
    """After ping_ms + pong_ms without any frame it gives up and comes back; any frame puts that off."""
    talker = online()
    talker.wait(34.9)
    talker.tell("news", something=1)
    assert talker.wait(34.9) == []
    told = talker.wait(0.2)
    assert told == [Drop("silent"), Offline("silent", None, pytest.approx(talker.now + 0.2))]  # type: ignore[list-item]
    assert talker.tell("ping", t=1, tops={}) == [] and talker.asks("pong") == []
    assert talker.close() == []


def test_a_server_that_does_not_answer_hello() -> None:
    """The same silence ends a connection on which hello was never answered."""
    talker = Talker()
    talker.open()
    assert of(Drop, talker.wait(35)) == [Drop("silent")]


def test_an_attempt_that_leads_nowhere() -> None:
    """When nobody says that a connection is open, the attempt is given up after a while."""
    talker = online()
    talker.close()
    assert talker.wait(1) == [Connect()]
    assert talker.core.state is State.CONNECTING
    assert of(Drop, talker.wait(19.4)) == [Drop("silent")]
    assert talker.core.state is State.WAITING


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", "17", "{}", '{"type":"ping"}', '{"type":"epoch","room":"tea"}']
)
def test_bad_frames(text: str) -> None:
    """A frame that makes no sense is the end of a connection, and nothing is taken for granted after it."""
    talker = in_room(seq=7)
    told = talker.note(talker.core.received(text, talker.now))
    assert [type(event) for event in told] == [Drop, Offline]
    talker.wait(until=talker.core.due)
    assert talker.open()["rooms"] == {}


def test_what_nobody_knows_is_ignored() -> None:
    """Unknown members and unknown types of frames change nothing."""
    talker = online()
    assert talker.tell("ok", id=99) == talker.tell("error", code="bad_json", message="") == []
    talker.tell("weather", degrees=21)
    talker.tell("weather", room="nowhere")
    talker.tell("weather", room="nowhere", seq=1, ts=1)
    assert talker.core.state is State.ONLINE
    assert of(RoomJoined, talker.told)[-1].room == "@me"


def test_requests_without_a_connection() -> None:
    """What is asked while offline fails at once, what was under way when the connection broke is lost."""
    talker = online()
    lost = talker.core.edit("tea", 1, "x", 0)
    assert of(Failed, talker.close()) == [Failed(lost, "lost", temporary=True)]
    offline = talker.core.history("tea")
    assert talker.core.next_timer() == talker.now
    assert talker.wait() == [Failed(offline, "offline", temporary=True)]


def test_nothing_is_sent_on_the_wrong_connection() -> None:
    """Frames that were not sent before the connection broke are not sent on the next."""
    talker = online()
    talker.core.history("tea")
    talker.core.closed(1006, talker.now)
    assert talker.core.outgoing() == []


def test_stop() -> None:
    """Stopped is ended: no timer, no attempt."""
    talker = online()
    request = talker.core.list_rooms()
    talker.core.stop()
    assert talker.note(talker.core.tick(talker.now)) == [
        Failed(request, "lost", temporary=True),
        Over("stopped", None),
    ]
    assert talker.core.next_timer() is None and talker.close() == []

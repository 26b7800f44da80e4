"""kill -9 at the worst moment: what anybody saw is still there, once, in the same place."""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress

from websockets.exceptions import ConnectionClosed

from e2e.browsing import Browsing
from e2e.conftest import Serve
from e2e.ourpage import OurPage
from e2e.peers import LinePeer, WebSocketPeer
from e2e.server import Server, eventually

ROUNDS = 3
MESSAGES = 1000
AHEAD = 40  # so many may be on their way in a room: enough for load, few enough to be cut in the middle
SENDERS = 4  # two in each of two rooms: a room's 500 messages are what one resume may bring


def test_what_a_sender_saw_survives_kill_9(server: Server, browsing: Browsing) -> None:
    """A message its sender saw is in the history exactly once after kill -9: page, simple, text and lines."""
    with WebSocketPeer(server.socket_url(nick="Ann")) as ann:
        ann.arrived()
        for number in range(1, 4):
            ann.say(f"before the crash {number}")
        ann.until(lambda _: len(ann.said) == 3)
        server.kill9()
    server.start()
    expected = [f"before the crash {number}" for number in range(1, 4)]

    with WebSocketPeer(server.socket_url(last=20)) as simple:
        assert simple.arrived()["seq"] == 3
        assert [(frame["seq"], frame["text"]) for frame in simple.said] == list(enumerate(expected, 1))
        assert {frame["from"]["nick"] for frame in simple.said} == {"Ann"}
    with WebSocketPeer(server.socket_url("/text", last=20)) as text:
        text.until(lambda heard: any(line.endswith(" comes in") for line in heard))
        assert text.heard[:-1] == expected
    with LinePeer(server.line_port) as line:
        line.say("/history 20")
        line.say("/me is the mark behind it")
        heard = line.until(lambda heard: any(words.endswith("is the mark behind it") for words in heard))
        assert [words for words in heard if "say:" in words] == [f"Annsay:{words}" for words in expected]
    visitor = OurPage(browsing, server, "Bob")
    visitor.shows(*expected, visitor.texts()[-1])
    assert visitor.texts()[-1].endswith("is the mark behind it")


def test_1000_messages_under_load_survive_kill_9_three_times(serve: Serve) -> None:
    """Three rounds of 1000 messages, killed in the middle: nothing seen is lost, no number twice or missing."""
    seed = int(os.environ.get("TEST_SEED") or random.SystemRandom().randrange(10**9))
    sys.stdout.write(f"TEST_SEED={seed} makes the same choices again\n")
    chance = random.Random(seed)
    server = serve("--insecure-no-limits")
    for number in range(1, ROUNDS + 1):
        rooms = [f"round-{number}-{half}" for half in ("a", "b")]
        threshold = chance.randrange(50, MESSAGES - 100)
        with ExitStack() as stack:
            seen = {room: Witnesses(stack, server, room) for room in rooms}
            talk_until_killed(server, seen.values(), threshold)
        server.start()
        total = sum(check_after_crash(server, room, seen[room]) for room in rooms)
        told = sum(len(witness.simple.said) for witness in seen.values())
        sys.stdout.write(f"round {number}: {total} in the log, {told} of them seen\n")
        assert 0 < told <= total <= MESSAGES


class Witnesses:
    """Those who listen in one room: one on each dialect. They talk too."""

    def __init__(self, stack: ExitStack, server: Server, room: str) -> None:
        self.simple = stack.enter_context(WebSocketPeer(server.socket_url(room=room)))
        self.text = stack.enter_context(WebSocketPeer(server.socket_url("/text", room=room)))
        self.line = stack.enter_context(LinePeer(server.line_port))
        self.line.say(f"/join {room}")
        self.room = room
        self.epoch = self.simple.arrived()["epoch"]
        self.simple.until(lambda _: self.simple.frames[-1].get("n") == 3)

    def senders(self) -> list[Callable[[str], None]]:
        """How to talk into the room, as two different peers."""
        return [self.simple.say if self.room.endswith("a") else self.text.say, self.line.say]

    def wait_for(self, sent: int) -> None:
        """Wait until at most `AHEAD` of `sent` messages are still on their way, or the server is gone."""
        ears = self.simple
        ears.until(lambda heard: ears.over or len(heard) >= sent - AHEAD, seconds=30)

    def texts(self) -> dict[str, list[str]]:
        """What each of them saw of the load, which begins with `load`, in their order."""
        return {
            "simple": [frame["text"] for frame in self.simple.said],
            "text": [words for words in list(self.text.heard) if words.startswith("load ")],
            "line": [words.partition("say:")[2] for words in list(self.line.heard) if "say:load " in words],
        }


def talk_until_killed(server: Server, rooms: Iterable[Witnesses], threshold: int) -> None:
    """1000 messages from four senders at once; kill -9 as soon as `threshold` of them have come round."""
    witnesses = list(rooms)
    senders = [(room, say) for room in witnesses for say in room.senders()]
    assert len(senders) == SENDERS

    def talk(name: int, room: Witnesses, say: Callable[[str], None]) -> None:
        with suppress(OSError, ConnectionClosed):  # the kill
            for number in range(MESSAGES // SENDERS):
                room.wait_for(2 * number)
                say(f"load {name}-{number}")

    threads = [threading.Thread(target=talk, args=(name, *sender)) for name, sender in enumerate(senders)]
    for thread in threads:
        thread.start()
    first, second = (room.simple for room in witnesses)
    eventually(lambda: len(first.heard) + len(second.heard) >= threshold, f"{threshold} messages", seconds=30)
    server.kill9()
    for thread in threads:
        thread.join(30)
    for room in witnesses:
        for ears in (room.simple, room.text, room.line):
            ears.ended()


def check_after_crash(server: Server, room: str, witnesses: Witnesses) -> int:
    """Read the room back and hold it against what its witnesses saw; how many messages it has."""
    with WebSocketPeer(server.socket_url(room=room, since=0, epoch=witnesses.epoch)) as reader:
        top: int = reader.arrived()["seq"]
        log = reader.said
        assert not [frame for frame in reader.frames if frame.get("code") == "position_lost"]
        assert [frame["seq"] for frame in log] == list(range(1, top + 1)), "a number is twice or missing"
        texts = [frame["text"] for frame in log]
        assert len(set(texts)) == len(texts), "a message is there twice"
        numbered = {frame["seq"]: frame["text"] for frame in log}
        for frame in witnesses.simple.said:
            assert numbered[frame["seq"]] == frame["text"], "a number changed its message"
        for dialect, seen in witnesses.texts().items():
            assert seen == texts[: len(seen)], f"what the {dialect} peer saw is not the beginning of the log"
        reader.say("life goes on")
        reader.until(lambda _: reader.said[-1]["text"] == "life goes on")
        assert reader.said[-1]["seq"] == top + 1
    last = witnesses.simple.said[-1]["seq"] if witnesses.simple.said else 0
    with WebSocketPeer(server.socket_url(room=room, since=last, epoch=witnesses.epoch)) as back:
        back.arrived()
        assert [frame["seq"] for frame in back.said] == list(range(last + 1, top + 2))
    return top

"""Two real chats on one Redis with one archive: old pages and search on any of them, whoever copies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
from redis_server import RedisServer

from e2e.server import Server, eventually
from e2e.test_accounts import chatservice
from e2e.v1peer import V1Peer

KEEP = 256
TALK = 400
ROOM = "long"


class House:
    """Two workers, one archive."""

    def __init__(self, stack: ExitStack, place: Path) -> None:
        self._stack = stack
        self.redis = stack.enter_context(RedisServer("--appendfsync", "no"))
        self.options = (
            "--insecure-no-limits",
            f"--store={self.redis.url}",
            f"--archive=sqlite:{place / 'archive.db'}",
            f"--redis-keep={KEEP}",
            "--durability=cache",
            "--metrics-listen=public",
        )
        self.a, self.b = (self._worker(place / name) for name in "ab")

    def _worker(self, place: Path) -> Server:
        place.mkdir()
        return self._stack.enter_context(Server(place, *self.options))

    def peer(self, server: Server, **hello: object) -> V1Peer:
        """Somebody in the room."""
        return self._stack.enter_context(V1Peer(server, rooms={ROOM: None}, **hello))

    def in_redis(self) -> int:
        """Entries of the room that Redis itself has."""
        keys = self.redis.ask("KEYS", f"cs:*:l:{ROOM}")
        return int(self.redis.ask("LLEN", keys[0])) if keys else 0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Both run."""
    with ExitStack() as stack:
        yield House(stack, tmp_path)


def talk(peer: V1Peer, n: int, word: str) -> None:
    """Say so many things, all on the way at once."""
    asked = [peer.send("message", room=ROOM, text=f"{word} {number}") for number in range(n)]
    for number in asked:
        assert peer.answer(number)["type"] == "ok"


def look(server: Server, path: str) -> str:
    """What is served there."""
    with urlopen(server.page_url + path) as answer:
        return str(answer.read().decode())


def texts(peer: V1Peer, **side: int) -> list[str]:
    """A page of history."""
    return [message.get("text", "") for message in peer.ask("history", room=ROOM, limit=50, **side)["messages"]]


def test_talk_beyond_what_redis_keeps(house: House) -> None:
    """Everything that was said is there by either worker, in pages, searches and a resume, and can be changed;
    when the worker that copies is stopped, the other one goes on with it."""
    ann, bob = house.peer(house.a), house.peer(house.b)
    position = {"epoch": ann.hello["rooms"][ROOM]["epoch"], "seq": 0}
    talk(ann, TALK, "first 重启")
    eventually(lambda: talk(ann, 1, "and") or house.in_redis() <= KEEP + 64, "the copy")
    for peer in (ann, bob):
        assert texts(peer, before=51) == [f"first 重启 {n}" for n in range(50)]
        hits = peer.ask("search", room=ROOM, q="first 7")["hits"]
        assert [hit["seq"] for hit in hits] == [*range(80, 70, -1), 8]
    assert bob.ask("delete", room=ROOM, ref=3)["code"] == "forbidden"
    assert ann.ask("delete", room=ROOM, ref=3)["type"] == "ok"
    assert texts(bob, before=4) == ["first 重启 0", "first 重启 1", ""]
    shown = look(house.a, "metrics")
    assert "chat_archive_up 1.0" in shown and "chat_archive_errors_total 0.0" in shown
    assert (
        float(shown.split("\nchat_archive_entries_total ")[1].split("\n")[0])
        + float(look(house.b, "metrics").split("\nchat_archive_entries_total ")[1].split("\n")[0])
        >= TALK
    )
    assert '"status":"ok"' in look(house.a, "health")
    house.a.stop()
    last = bob.ask("message", room=ROOM, text="b is alone")["seq"]
    talk(bob, TALK, "second")
    eventually(lambda: talk(bob, 1, "and") or house.in_redis() <= KEEP + 64, "the copy by the other worker")
    assert texts(bob, before=last)[-1].startswith("and")
    late = house.peer(house.b)
    position = {"epoch": late.hello["rooms"][ROOM]["epoch"], "seq": last}
    again = V1Peer(house.b, rooms={ROOM: position})
    joined = again.hello["rooms"][ROOM]
    assert joined["recovered"] and len(joined["events"]) == late.hello["rooms"][ROOM]["seq"] - last >= TALK
    again.connection.close()


def test_from_sqlite_to_several(tmp_path: Path) -> None:
    """C60. An operator moves a chat on SQLite to Redis with an archive; who was there resumes without noticing,
    and sees all that was ever said. A second move, into what is full, is refused in one line."""
    with Server(tmp_path, "--insecure-no-limits") as old, V1Peer(old, rooms={ROOM: None}) as ann:
        talk(ann, TALK, "old")
        position = {"epoch": ann.hello["rooms"][ROOM]["epoch"], "seq": TALK - 10}
        token = ann.hello["guest_token"]
    with RedisServer() as redis:
        archive = f"--archive=sqlite:{tmp_path / 'archive.db'}"
        move = ("move", f"--to={redis.url}", archive, f"--redis-keep={KEEP}")
        done = chatservice(tmp_path, *move)
        assert done.returncode == 0 and f"{TALK} entries" in done.stdout, done.stderr
        again = chatservice(tmp_path, *move)
        assert again.returncode == 1 and "empty" in again.stderr and len(again.stderr.splitlines()) == 1
        with (
            Server(tmp_path / "a", f"--store={redis.url}", archive, "--insecure-no-limits") as new,
            V1Peer(new, token=token, rooms={ROOM: position}) as ann,
        ):
            joined = ann.hello["rooms"][ROOM]
            assert joined["recovered"] and [event["seq"] for event in joined["events"]] == list(
                range(TALK - 9, TALK + 1)
            )
            assert texts(ann, before=51) == [f"old {n}" for n in range(50)]
            assert ann.ask("message", room=ROOM, text="new")["seq"] == TALK + 1


@pytest.mark.slow
def test_who_copies_is_killed(house: House) -> None:
    """When the worker that copies dies, the other takes its place when the lease is over; nothing is lost or
    doubled."""
    ann, bob = house.peer(house.a), house.peer(house.b)
    talk(ann, TALK, "one")
    house.a.kill9()
    talk(bob, TALK, "two")
    eventually(lambda: talk(bob, 1, "and") or house.in_redis() <= KEEP + 64, "the lease", seconds=40)
    seen: list[int] = []
    while len(seen) < TALK:
        page = bob.ask("history", room=ROOM, limit=100, after=len(seen))["messages"]
        seen += [message["seq"] for message in page]
    assert seen[:TALK] == list(range(1, TALK + 1))

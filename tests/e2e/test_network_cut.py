"""Three chats and a Redis, each on a machine of its own: one is cut off from the rest, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from e2e.hosts import HostServer, Network, redis_on
from e2e.server import eventually
from e2e.v1peer import Frame, V1Peer

ROOM = "cut"
CUTS = 3


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[HostServer]]:
    """Three chats on one Redis."""
    with ExitStack() as stack:
        network = stack.enter_context(Network())
        redis_host = network.host()
        stack.enter_context(redis_on(redis_host))
        options = ("--insecure-no-limits", f"--store=redis://{redis_host.back}")
        yield [
            stack.enter_context(HostServer(tmp_path / f"w{number}", network.host(), *options))
            for number in range(3)
        ]


def say(peer: V1Peer, text: str) -> Frame:
    """Its answer; the text is its cid as well."""
    return peer.ask("message", room=ROOM, text=text, cid=text)


def say_until_kept(peer: V1Peer, text: str) -> int:
    """Again with the same cid, as clients do; its number."""

    def kept() -> Frame | None:
        answer = say(peer, text)
        assert answer["type"] == "ok" or (answer["code"] == "unavailable" and answer["temporary"]), answer
        return answer if answer["type"] == "ok" else None

    return int(eventually(kept, "an answer")["seq"])  # type: ignore[index]


@pytest.mark.slow
def test_one_machine_is_cut_off(servers: list[HostServer]) -> None:
    """People on the machine that is cut off stay connected and are refused, the others talk on; when it is back,
    all have seen the same, each once and in order, and nothing that was answered is lost."""
    with ExitStack() as stack:
        ann, bob, eve = (
            stack.enter_context(V1Peer(server, nick, rooms={ROOM: None}))
            for server, nick in zip(servers, ("Ann", "Bob", "Eve"), strict=True)
        )
        kept: dict[int, str] = {}
        for cut in range(CUTS):
            for peer in (ann, bob, eve):
                kept[say_until_kept(peer, f"before {cut} {peer.id}")] = f"before {cut} {peer.id}"
            servers[0].host.pull_out()
            refused = say(ann, f"cut off {cut}")
            assert refused["code"] == "unavailable" and refused["temporary"] and refused["retry_ms"] > 0
            for number in range(10):
                for peer in (bob, eve):
                    text = f"meanwhile {cut} {number} {peer.id}"
                    kept[say(peer, text)["seq"]] = text
            if not cut:
                assert bob.told("leave", room=ROOM)["user"]["id"] == ann.id  # its lease is over
            assert say(ann, f"cut off {cut}")["code"] == "unavailable"
            servers[0].host.plug_in()
            kept[say_until_kept(ann, f"cut off {cut}")] = f"cut off {cut}"
        kept[say_until_kept(eve, "the end")] = "the end"
        for peer in (ann, bob, eve):
            peer.until(lambda _, peer=peer: peer.texts(ROOM)[-1:] == [(max(kept), "the end")])
            assert peer.texts(ROOM) == sorted(kept.items())
            assert not peer.events("truncate", "lag")
        assert sorted(kept) == list(range(1, len(kept) + 1)) and len(kept) == CUTS * 24 + 1
        eventually(lambda: eve.ask("join", room=ROOM)["n"] == 3, "all three being there")

"""Everybody in one room, each with the client they have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from e2e.browsing import Browsing
from e2e.ourpage import OurPage
from e2e.peers import Ears, ProgramPeer, WebSocketPeer
from e2e.server import Server
from e2e.taught import filled

EVERYBODY = {
    "Ann": "Ann {}",
    "小明": "你好 {}",
    "Tex": "<b>Tex</b> & {}",
    "Nic": "nc {}",
    "Nod": "node {}",
    "Sim": "s {}",
}


def test_browsers_nc_node_and_websockets_talk_in_one_room(
    server: Server, browsing: Browsing, tmp_path: Path
) -> None:
    """Two browsers, nc, a Node net client and two Python clients hear each other, all in one order."""
    net_client = filled("net-client.js", tmp_path, __PORT__=str(server.line_port))
    with (
        WebSocketPeer(server.socket_url("/", nick="Sim")) as simple,
        WebSocketPeer(server.socket_url("/text", nick="Tex")) as text,
        ProgramPeer("nc", "127.0.0.1", str(server.line_port)) as nc,
        ProgramPeer("node", net_client) as node,
    ):
        simple.arrived()
        text.hears("Tex comes in")
        name_line_peer(nc, "Nic")
        # It greets without ending the line; the rest of the line comes with the first thing typed.
        node.say(" from node")
        node.until(lambda heard: any(line.endswith("say:你好 from node") for line in heard))
        name_line_peer(node, "Nod")
        ann, bob = OurPage(browsing, server, "Ann"), OurPage(browsing, server, "小明")

        say = {"Ann": ann.say, "小明": bob.say, "Tex": text.say, "Nic": nc.say, "Nod": node.say, "Sim": simple.say}
        for number in (1, 2):  # nobody waits for anybody
            for nick, words in EVERYBODY.items():
                say[nick](words.format(number))

        said = simple.hears_messages(13)
        assert [frame["seq"] for frame in said] == list(range(1, 14))
        order = [(frame["from"]["nick"], frame["text"]) for frame in said]
        assert order.pop(0)[1] == "你好 from node"
        assert sorted(order) == sorted((n, words.format(i)) for n, words in EVERYBODY.items() for i in (1, 2))

        # Each in its own words, each in the order of the log.
        assert [frame["data"] for frame in said[1:]] == [f"{nick} says: {words}" for nick, words in order]
        bare = [words for _, words in order]
        assert heard_of(text, bare) == bare
        lines = [f"{nick}say:{words}" for nick, words in order]
        assert heard_of(nc, lines) == lines
        assert heard_of(node, lines, lambda line: line.removeprefix("server: ")) == lines
        for visitor in (ann, bob):
            visitor.shows("你好 from node", *bare)


def name_line_peer(peer: Ears, nick: str) -> None:
    """Give a line peer a name, and wait until it is known by it."""
    peer.say(f"/nick {nick}")
    peer.until(lambda heard: any(line.endswith(f" is now {nick}") for line in heard))


def heard_of(peer: Ears, wanted: list[str], bare: Callable[[str], str] = lambda line: line) -> list[str]:
    """Wait until all of `wanted` was heard; those of them, as often and in the order they were heard."""
    heard = peer.until(lambda heard: {bare(line) for line in heard} >= set(wanted))
    return [bare(line) for line in heard if bare(line) in wanted]

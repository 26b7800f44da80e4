"""How each worker stands is on a board that all can read."""

from __future__ import annotations

from redis_server import RedisServer

from chatservice.domain.board import Pinned
from chatservice.domain.errors import Refused
from chatservice.domain.promise import Promise
from chatservice.logs.redis_board import GONE_S
from nodes.chats import Node
from nodes.conftest import MakeNode

BOARD, PINNED, WORKERS = "cs:board", "cs:board:at", "cs:w"


def read(node: Node) -> dict[bytes, Pinned]:
    """The board, as that node sees it; nothing where it cannot see it now."""
    asked = node.store.raw.board.read()
    node.wait_for(lambda: asked.done, "the board")
    return {} if isinstance(asked.error, Refused) else {one.sheet: one for one in asked.result()}


def pin(node: Node, sheet: bytes) -> None:
    """It says so from now on."""
    node.store.raw.board.keep(lambda: sheet)
    node.wait_for(lambda: sheet in read(node), "its sheet")


def test_all_see_all(make_node: MakeNode) -> None:
    """Each node sees what all have pinned, knows its own, and that the others live."""
    one, other = make_node(), make_node()
    pin(one, b"one")
    pin(other, b"other")
    for node, own in ((one, b"one"), (other, b"other")):
        board = read(node)
        assert set(board) == {b"one", b"other"} and all(sheet.lives for sheet in board.values())
        assert [sheet for sheet, pinned in board.items() if pinned.is_ours] == [own]
        assert all(0 <= pinned.age_s < 60 for pinned in board.values())


def test_the_newest_sheet(make_node: MakeNode) -> None:
    """At each beat a node says anew how it stands; what it said before is not there any more."""
    node = make_node()
    sheets = iter((b"first", b"second"))
    node.store.raw.board.keep(lambda: next(sheets, b"third"))
    node.store.raw._beat()
    node.wait_for(lambda: set(read(node)) == {b"second"}, "the second sheet")


def test_an_orderly_end(make_node: MakeNode, server: RedisServer) -> None:
    """Who ends in good order takes its sheet along."""
    one, other = make_node(), make_node()
    pin(one, b"one")
    pin(other, b"other")
    stopping = one.store.raw.stop()
    assert isinstance(stopping, Promise)
    one.wait_for(lambda: stopping.done, "its end")
    other.wait_for(lambda: set(read(other)) == {b"other"}, "the one that is left")
    assert server.ask("HLEN", BOARD) == server.ask("ZCARD", PINNED) == 1


def test_one_that_died(make_node: MakeNode, server: RedisServer) -> None:
    """Who dies leaves its sheet behind: it is read as that of a dead one, and by its age one sees since when."""
    node = make_node()
    pin(node, b"living")
    server.ask("HSET", BOARD, "dead", "as it was")
    server.ask("ZADD", PINNED, int(server.ask("TIME")[0]) * 1000 - 40_000, "dead")
    dead = read(node)[b"as it was"]
    assert not dead.lives and 38 <= dead.age_s <= 60
    server.ask("ZADD", WORKERS, 1, "dead")  # a lease that is over is none
    assert not read(node)[b"as it was"].lives


def test_the_dead_are_forgotten(make_node: MakeNode, server: RedisServer) -> None:
    """After ten minutes the sheet of one that died is gone, however many died; where nobody pins, all are."""
    node = make_node()
    now_ms = int(server.ask("TIME")[0]) * 1000
    for number in range(3):
        server.ask("HSET", BOARD, f"dead {number}", f"sheet {number}")
        server.ask("ZADD", PINNED, now_ms - GONE_S * 1000 - 5000 + number, f"dead {number}")
    server.ask("HSET", BOARD, "younger", "sheet")
    server.ask("ZADD", PINNED, now_ms - GONE_S * 1000 + 60_000, "younger")
    pin(node, b"living")
    assert set(read(node)) == {b"living", b"sheet"} and server.ask("HLEN", BOARD) == 2
    assert 0 < server.ask("PTTL", BOARD) <= GONE_S * 1000 and 0 < server.ask("PTTL", PINNED) <= GONE_S * 1000


def test_a_server_that_lost_it(make_node: MakeNode, server: RedisServer) -> None:
    """Where the server comes back empty each node says again how it stands."""
    node = make_node()
    pin(node, b"sheet")
    server.kill9()
    server.lose_data()
    server.start()
    node.wait_for(lambda: node.is_up, "the server")
    node.wait_for(lambda: set(read(node)) == {b"sheet"}, "its sheet")


def test_what_each_has_written(make_node: MakeNode) -> None:
    """Each node counts the entries that came by it, and not those of the others: the sum counts each once."""
    one, other = make_node(), make_node()
    ann = one.enter("ann", "tea")
    other.enter("bob", "tea")
    for n in range(3):
        ann.ask("message", room="tea", text=f"{n}")
    one.wait_for(lambda: one.store.raw.bus.written == 3, "what was said")
    other.wait_for(lambda: other.hub.committed_count == 3, "the other hears it")
    assert other.store.raw.bus.written == 0

"""When Redis is away for more than a blink people are told, once, and again when it is there."""

from __future__ import annotations

from chat import Tab, code
from redis_server import RedisServer

from chatservice.dialects.registry import dialect
from chatservice.domain.events import Stalled
from chatservice.transports.counted import Counted
from chatservice.transports.health import AWAY_S, Health
from nodes.chats import Hearer, Node
from nodes.conftest import MakeNode


def health_of(node: Node) -> Health:
    """What probes of that node are told."""
    return Health(node.clock, Counted(), lambda: node.hub.away_s)


def test_down_and_up(make_node: MakeNode, server: RedisServer) -> None:
    """A `status` when it has been away for a second, one when it is back, and each only once; who comes in between
    is not let in, and people who are there stay."""
    node = make_node()
    ann = node.enter("ann", "lobby")
    heard = Hearer(ann)
    server.kill9()
    node.wait_for(lambda: heard.kinds("status"), "the event")
    assert code(Tab(node).ask("hello", nick="late")) == "unavailable"
    server.start()
    node.wait_for(lambda: len(heard.kinds("status")) == 2, "the other event")
    assert [event["engine"] for event in heard.kinds("status")] == ["down", "up"] and ann.ended == ""
    assert code(ann.ask("message", room="lobby", text="again")) == "ok"


def test_a_blink_is_not_told(make_node: MakeNode, server: RedisServer) -> None:
    """A restart that is over at once is nobody's business."""
    node = make_node()
    heard = Hearer(node.enter("ann", "lobby"))
    server.restart()
    node.wait_for(lambda: not node.is_up, "the loss")
    node.wait_for(lambda: node.is_up, "the connection")
    over: list[bool] = []
    node.store.raw._call_later(1.2, lambda: over.append(True))
    node.wait_for(lambda: over, "the time")
    assert heard.kinds("status") == []


def test_history_out_of_memory(make_node: MakeNode, server: RedisServer) -> None:
    """While it is away the newest messages are still shown, as they stand, and said to be stale; what the process
    does not have is not made up."""
    node = make_node()
    ann = node.enter("ann", "lobby")
    for n in range(1, 5):
        assert ann.ask("message", room="lobby", text=f"m{n}")["seq"] == n
    assert code(ann.ask("edit", room="lobby", ref=2, text="better", rev=0)) == "ok"
    assert code(ann.ask("delete", room="lobby", ref=3)) == "ok"
    heard = Hearer(ann)
    server.kill9()
    node.wait_for(lambda: heard.kinds("status"), "the event")
    page = ann.ask("history", room="lobby", limit=3)
    assert page["stale"] is True and page["more"] is True
    assert [(m["seq"], m.get("text", ""), m.get("deleted", False)) for m in page["messages"]] == [
        (2, "better", False),
        (3, "", True),
        (4, "m4", False),
    ]
    assert [m["seq"] for m in ann.ask("history", room="lobby", before=3)["messages"]] == [1, 2]
    assert [m["seq"] for m in ann.ask("history", room="lobby", after=2, limit=1)["messages"]] == [3]
    assert code(ann.ask("history", room="lobby", around=2)) == "unavailable"
    server.start()
    node.wait_for(lambda: len(heard.kinds("status")) == 2, "the other event")
    assert "stale" not in ann.ask("history", room="lobby")


def test_probes(make_node: MakeNode, server: RedisServer) -> None:
    """`/health` says `degraded` from then on and stays 200; `/health/ready` is 503 only when it has been away for
    half a minute, and both recover."""
    node = make_node()
    heard, health = Hearer(node.enter("ann", "lobby")), health_of(node)
    assert health.live()[1]["status"] == "ok" and health.ready()[0] == 200
    server.kill9()
    node.wait_for(lambda: heard.kinds("status"), "the event")
    assert health.live()[0] == 200 and health.live()[1]["status"] == "degraded" and health.ready()[0] == 200
    node.clock.now += AWAY_S - 1
    assert health.ready()[0] == 200
    node.clock.now += 2
    assert health.ready() == (503, {"status": "storage"}) and health.live()[0] == 200
    server.start()
    node.wait_for(lambda: len(heard.kinds("status")) == 2, "the other event")
    assert health.ready()[0] == 200 and health.live()[1]["status"] == "ok"


def test_full_memory_has_a_reason(make_node: MakeNode, server: RedisServer) -> None:
    """C55. A server whose memory is full, or whose disk does not write, refuses with the reason `storage_full`."""
    node = make_node()
    ann = node.enter("ann", "lobby")
    server.ask("CONFIG", "SET", "maxmemory", "1")
    refused = ann.ask("message", room="lobby", text="too much")
    assert (refused["code"], refused["reason"], refused["temporary"]) == ("unavailable", "storage_full", True)
    server.ask("CONFIG", "SET", "maxmemory", "0")
    assert code(ann.ask("message", room="lobby", text="fits")) == "ok"


def test_other_dialects_say_it() -> None:
    """Every dialect with sentences says both, in both languages."""
    for name in ("simple", "text", "line"):
        for lang in ("en", "zh-CN"):
            voice = dialect(name).voice(lang, False)
            down, up = (voice.encode(Stalled(is_away)) for is_away in (True, False))
            assert down and up and down != up, (name, lang)

"""Redis goes away in every way it can: people stay connected, nothing is shown that has no number, all resumes
by itself.

The codes are those of SCALE's conformance list.
"""

from __future__ import annotations

import itertools
import time

from chat import Frame, Tab, code
from redis_server import RedisServer

from nodes.chats import Hearer, Node
from nodes.conftest import MakeNode

_cids = itertools.count(1)

AT_ONCE_S = 0.8
"""Less than any deadline here, and more than a busy computer is late."""


def say(tab: Tab, text: str, room: str = "lobby", cid: str | None = None) -> Frame:
    return tab.ask("message", room=room, text=text, cid=cid)


def refused_in(tab: Tab, text: str) -> float:
    """How long it takes until a message is refused because the engine is away, in seconds."""
    begin = time.monotonic()
    reply = say(tab, text)
    took = time.monotonic() - begin
    assert code(reply) == "unavailable" and reply["temporary"], reply
    return took


def two_people(make_node: MakeNode) -> tuple[Node, Tab, Hearer]:
    node = make_node()
    ann, bob = node.enter("ann", "lobby"), node.enter("bob", "lobby")
    assert say(ann, "before")["seq"] == 1
    return node, ann, Hearer(bob)


def test_gone_and_back(make_node: MakeNode, server: RedisServer) -> None:
    """C50. While it is gone messages are refused at once and nobody sees them; then all goes on without anyone
    doing anything, and nobody has noticed that the epoch is another."""
    node, ann, bob = two_people(make_node)
    server.kill9()
    node.wait_for(lambda: not node.is_up, "the loss")
    assert refused_in(ann, "during") < AT_ONCE_S
    assert ann.ended == bob.tab.ended == ""
    server.start()
    node.wait_for(lambda: node.is_up, "the connection")
    assert say(ann, "after")["seq"] == 2
    node.wait_for(lambda: "after" in bob.texts(), "the message")
    assert bob.texts() == ["before", "after"] and bob.kinds("truncate") == []
    assert [event["room"] for event in bob.kinds("epoch")].count("lobby") == 1 and ann.ended == bob.tab.ended == ""


def test_readers_wait_a_little(make_node: MakeNode, server: RedisServer) -> None:
    """What is asked while it is gone waits for it, but not for ever; newcomers too."""
    node, ann, _ = two_people(make_node)
    server.kill9()
    node.wait_for(lambda: not node.is_up, "the loss")
    begin = time.monotonic()
    asked = ann.send("events", room="lobby", after=0)
    assert code(ann.answer(asked)) == "unavailable" and 2.5 < time.monotonic() - begin < 10
    asked = ann.send("events", room="lobby", after=0)
    server.start()
    assert [event["text"] for event in ann.answer(asked)["events"]] == ["before"]


def test_back_while_we_end(make_node: MakeNode, server: RedisServer) -> None:
    """Whoever is seen out while Redis is away is not told that it is back, and when it is back in the middle of
    that this worker is none of those that live, nor of those that died."""
    node = make_node()
    node.enter("ann", "lobby")
    raw = node.store.raw
    raw.board.keep(lambda: b"sheet")
    node.wait_for(lambda: server.ask("HGET", "cs:board", raw.bus.node) == b"sheet", "its sheet")
    server.kill9()
    node.wait_for(lambda: node.hub.is_away, "the loss")
    under_way = raw._asking.call(b"PING")
    stopped = raw.stop()
    server.start()
    node.wait_for(lambda: stopped.done, "the end")
    assert under_way.result() == b"PONG"
    assert server.ask("ZSCORE", "cs:w", raw.bus.node) is None
    assert server.ask("HLEN", "cs:board") == server.ask("ZCARD", "cs:board:at") == 0
    assert node.hub.is_away


def test_hung(make_node: MakeNode, server: RedisServer) -> None:
    """C51. A server that hangs is given up within the deadline (here one second); what was sent by its cid is
    there once."""
    node, ann, bob = two_people(make_node)
    asked = ann.send("message", room="lobby", text="sent into the hang", cid="c1")
    node.settle()
    assert code(ann.answer(asked)) == "ok"
    server.signal(19)  # SIGSTOP
    try:
        assert refused_in(ann, "during") < 1 + AT_ONCE_S
        assert refused_in(ann, "at once") < AT_ONCE_S
    finally:
        server.signal(18)  # SIGCONT
    node.wait_for(lambda: node.is_up, "the connection")
    assert say(ann, "sent into the hang", cid="c1")["dup"]
    assert say(ann, "after")["type"] == "ok"
    node.wait_for(lambda: "after" in bob.texts(), "the message")
    # What was on its way when it hung may have been stored: it was answered "perhaps", and then all see it.
    assert [text for text in bob.texts() if text != "during"] == ["before", "sent into the hang", "after"]


def test_debug_sleep(make_node: MakeNode, server: RedisServer) -> None:
    """C51. What has a cid and gets its answer late is retried by itself: answered once, stored once."""
    node, ann, bob = two_people(make_node)
    node.store.raw.wire.call(("DEBUG", "SLEEP", "1.4"), lambda _: None)
    reply = say(ann, "slow", cid="c2")
    node.wait_for(lambda: node.is_up, "the connection")
    assert code(reply) in ("ok", "unavailable")
    again = say(ann, "slow", cid="c2")
    assert again["seq"] == 2 and again["dup"]
    node.wait_for(lambda: "slow" in bob.texts(), "the message")
    assert bob.texts() == ["before", "slow"]


def test_nothing_acknowledged_is_lost(make_node: MakeNode, server: RedisServer) -> None:
    """C52. kill -9 in the middle of many messages, with `appendfsync always`: what was answered is there."""
    node, ann, _ = two_people(make_node)
    asked = [ann.send("message", room="lobby", text=f"m{n}", cid=f"k{n}") for n in range(300)]
    node.wait_for(lambda: len(ann.near.sent) > 5000, "the first answers")
    server.kill9()
    ann._look()
    answered = [reply["seq"] for number in asked if (reply := ann._replies.get(number)) and reply["type"] == "ok"]
    server.start()
    node.wait_for(lambda: not node.is_up, "the loss")
    node.wait_for(lambda: node.is_up, "the connection")
    for number in asked:  # those under way are tried again, by their cids
        ann.answer(number)
    events = ann.ask("events", room="lobby", after=0, limit=500)["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert answered and set(answered) <= {event["seq"] for event in events}
    assert len({event["text"] for event in events}) == len(events)


def test_a_lost_tail_is_told(make_node: MakeNode, server: RedisServer) -> None:
    """C53. A server that comes back without its newest entries: those who saw them are told exactly which, and the
    numbers come again under another epoch."""
    node, ann, bob = two_people(make_node)
    epoch = ann.greeting["rooms"]["lobby"]["epoch"]
    server.ask("SAVE")
    kept = {key: server.ask("DUMP", key) for key in server.ask("KEYS", "cs:*")}
    for text in ("lost one", "lost two"):
        say(ann, text)
    server.kill9()
    server.lose_data()
    (server.directory / "dump.rdb").unlink(missing_ok=True)
    server.start()
    for key, value in kept.items():
        server.ask("RESTORE", key, 0, value, "REPLACE")
    node.wait_for(lambda: bob.kinds("truncate"), "the truncate")
    told = bob.kinds("truncate")[0]
    assert told["after"] == 1 and told["seq"] == 1 and told["epoch"] != epoch
    assert say(ann, "new two")["seq"] == 2
    joined = ann.ask("join", room="lobby", since={"epoch": epoch, "seq": 3})
    assert not joined["recovered"] and (joined["reason"], joined["valid"]) == ("truncated", 1)
    assert [event["text"] for event in joined["events"]] == ["new two"]


def test_everything_lost(make_node: MakeNode, server: RedisServer) -> None:
    """C57. A server that comes back empty: everybody is told to begin anew, and goes on."""
    node, ann, bob = two_people(make_node)
    server.kill9()
    server.lose_data()
    server.start()
    node.wait_for(lambda: bob.kinds("truncate"), "the truncate")
    assert bob.kinds("truncate")[0]["after"] is None
    assert say(ann, "a new beginning")["seq"] == 1


def test_full(make_node: MakeNode, server: RedisServer) -> None:
    """C55. Out of memory: messages are refused before anything is written, reading goes on, and it ends by
    itself."""
    node, ann, bob = two_people(make_node)
    server.ask("CONFIG", "SET", "maxmemory", "1mb")
    assert refused_in(ann, "too much") < AT_ONCE_S
    assert code(ann.ask("edit", room="lobby", ref=1, text="longer", rev=0)) == "unavailable"
    assert ann.ask("history", room="lobby")["messages"][0]["text"] == "before"
    server.ask("CONFIG", "SET", "maxmemory", "0")
    assert say(ann, "room again")["seq"] == 2
    assert bob.texts() == ["before", "room again"] and node.is_up


def test_read_only(make_node: MakeNode, server: RedisServer) -> None:
    """C55. A server that was demoted while we are connected is left; when it is a primary again, all goes on."""
    node, ann, bob = two_people(make_node)
    server.ask("REPLICAOF", "127.0.0.1", 1)
    assert refused_in(ann, "to a replica") < AT_ONCE_S
    assert not node.is_up
    server.ask("REPLICAOF", "NO", "ONE")
    node.wait_for(lambda: node.is_up, "the connection")
    assert say(ann, "after")["seq"] == 2
    node.wait_for(lambda: "after" in bob.texts(), "the message")
    assert bob.texts() == ["before", "after"]


def test_disk_full(make_node: MakeNode, server: RedisServer) -> None:
    """C55. A server that may not write to its disk (MISCONF) refuses, and we with it."""
    node, ann, _ = two_people(make_node)
    server.ask("CONFIG", "SET", "min-replicas-to-write", "1")  # NOREPLICAS: refused in the same place
    assert refused_in(ann, "nobody copies it") < AT_ONCE_S
    server.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    assert say(ann, "after")["seq"] == 2 and node.is_up


def test_both_nodes_go_on(make_node: MakeNode, server: RedisServer) -> None:
    """After a restart both hear each other again, without anything said twice or left out, and know who is
    there."""
    first, second = make_node(), make_node()
    ann, bob = first.enter("ann", "lobby"), second.enter("bob", "lobby")
    hears = Hearer(bob)
    say(ann, "one")
    first.wait_for(lambda: hears.texts() == ["one"], "the first message")
    server.restart()
    first.wait_for(lambda: not first.is_up and not second.is_up, "the loss")
    first.wait_for(lambda: first.is_up and second.is_up, "the connections")
    say(ann, "two")
    say(bob, "three")
    first.wait_for(lambda: len(hears.texts()) == 3, "all messages")
    assert hears.texts() == ["one", "two", "three"] and hears.kinds("leave", "truncate") == []
    assert second.enter("eve", "lobby").greeting["rooms"]["lobby"]["n"] == 3


def test_deleted_words_leave_the_file(make_node: MakeNode, server: RedisServer) -> None:
    """C09. A minute after a message was deleted its words are neither in memory nor in the append-only file."""
    node, ann, _ = two_people(make_node)
    for room in ("lobby", "@u_bob"):
        seq = say(ann, "a very secret word", room)["seq"]
        ann.ask("edit", room=room, ref=seq, text="another hidden word", rev=0)
        ann.ask("react", room=room, ref=seq, emoji="👍", on=True)
        assert code(ann.ask("delete", room=room, ref=seq)) == "ok"
    node.wait_for(lambda: server.ask("EXISTS", "cs:erased"), "the note of it")
    node.clock.now += 60
    node.store.raw._chores.step()
    node.wait_for(lambda: not server.ask("EXISTS", "cs:erased"), "the rewriting")

    def written() -> bytes:
        files = (server.directory / "appendonlydir").glob("*.aof")
        return b"".join(path.read_bytes() for path in files)

    node.wait_for(lambda: b"secret" not in written() and b"hidden" not in written(), "the words' end")
    for key in server.ask("KEYS", "*"):
        assert b"secret" not in server.ask("DUMP", key) and b"hidden" not in server.ask("DUMP", key)

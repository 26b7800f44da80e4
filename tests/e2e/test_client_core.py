"""The client core over real sockets against a real server that is killed and restarted."""

from __future__ import annotations

from contextlib import ExitStack

from chatservice.client.events import Entry, Failed, Frame, Offline, Online, Replied, RoomJoined
from e2e.conftest import Serve
from e2e.server import Server, eventually
from e2e.shell import Shell

TALKERS = 3
EACH = 40
KILLED_AT = (EACH // 4, EACH // 2)


def shells(stack: ExitStack, server: Server, number: int) -> list[Shell]:
    """People in the room `tea`."""
    people = [stack.enter_context(Shell(server.socket_url("/v1"))) for _ in range(number)]
    for shell in people:
        assert isinstance(shell.ask(lambda core: core.join("tea")), Replied)
    return people


def say(shell: Shell, text: str) -> None:
    shell.do(lambda core: core.say("tea", text))


def history(shell: Shell) -> list[Frame]:
    reply = shell.ask(lambda core: core.history("tea", limit=200))
    assert isinstance(reply, Replied), reply
    messages: list[Frame] = reply.frame["messages"]
    return messages


def entries(shell: Shell) -> list[Entry]:
    return [event for event in list(shell.told) if isinstance(event, Entry) and event.room == "tea"]


def wait_for_entries(shell: Shell, number: int) -> None:
    """Until so many have come; whether more come than should is for the asserts that follow."""
    eventually(lambda: len(entries(shell)) >= number, f"{number} entries")


def test_kill_9_in_the_middle(serve: Serve) -> None:
    """Three people talk while the server is killed twice: each message is there once, in order, seen by all."""
    server = serve("--insecure-no-limits")
    with ExitStack() as stack:
        people = shells(stack, server, TALKERS)
        for number in range(EACH):
            for name, shell in enumerate(people):
                say(shell, f"{name} says {number}")
            if number in KILLED_AT:
                # Some are answered, some are under way, some are still to be sent.
                wait_for_entries(people[0], number)
                for shell in people:
                    eventually(shell.is_online, "back from the kill before")
                server.kill9()
                server.start()
        for shell in people:
            wait_for_entries(shell, TALKERS * EACH)
            eventually(shell.is_settled, "all answered")
        kept = history(people[0])
        for name, shell in enumerate(people):
            assert shell.core.view("tea").messages == kept
            assert [entry.seq for entry in entries(shell)] == list(range(1, TALKERS * EACH + 1))
            texts = [message["text"] for message in kept if message["text"].startswith(f"{name} ")]
            assert texts == [f"{name} says {number}" for number in range(EACH)]
            ids = {event.user["id"] for event in shell.told if isinstance(event, Online)}
            assert len(ids) == 1, "it came back as somebody else"
            assert sum(isinstance(event, Offline) for event in shell.told) >= len(KILLED_AT)


def test_a_restart_in_order(serve: Serve) -> None:
    """A server that stops in order says when to come back; edits and reactions missed meanwhile are caught up."""
    server = serve()
    with ExitStack() as stack:
        ann, bob = shells(stack, server, 2)
        first = ann.ask(lambda core: core.say("tea", "first"))
        assert isinstance(first, Replied) and first.frame["seq"] == 1
        wait_for_entries(bob, 1)
        server.restart()
        for shell in (ann, bob):
            eventually(shell.is_online, "back again")
            # A connection may be refused while nobody listens; the first end was the server's own.
            assert next(event for event in shell.told if isinstance(event, Offline)).code == 4001
        assert isinstance(ann.ask(lambda core: core.edit("tea", 1, "edited", 0)), Replied)
        assert isinstance(bob.ask(lambda core: core.react("tea", 1, "🍵")), Replied)
        for shell in (ann, bob):
            wait_for_entries(shell, 3)
            assert shell.core.view("tea").messages == history(shell)
            joins = [event for event in shell.told if isinstance(event, RoomJoined) and event.room == "tea"]
            assert [join.was_reset for join in joins] == [True, False]
        assert bob.core.view("tea")[1]["reactions"] == {"🍵": {"n": 1, "me": True}}


def test_the_language_of_errors(server: Server) -> None:
    """What hello says about the language holds for every sentence of the service."""
    with Shell(server.socket_url("/v1"), lang="zh-CN", nick="阿宝") as shell:
        eventually(shell.is_online, "hello")
        refused = shell.ask(lambda core: core.read("nowhere", 1))
        assert isinstance(refused, Failed) and (refused.code, refused.message) == (
            "not_joined",
            "你不在那个房间里",
        )

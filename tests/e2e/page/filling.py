"""Rooms in which much has been said."""

from __future__ import annotations

from contextlib import ExitStack

from e2e.peers import WebSocketPeer
from e2e.server import Server

PEOPLE = ("João", "林晓雯", "deploy-bot")

KINDS = (
    "number {n}",
    "number {n}: the load test of last night is read, **p99** is at 38 ms, see https://example.com/r/{n}",
    "第 {n} 条：昨晚的压测报告看了，广播延迟比上周好很多。还有一个小问题：输入法选词按回车的时候会不会发出去？",
    "number {n}\n```\nstatus ok, clients {n}\n```",
    "number {n} 👍",
)


def fill(server: Server, room: str, count: int, *, after: int = 0) -> None:
    """Let people who take turns say so many messages there, long and short; returns when all are stored.

    :param after: so many messages are there already.
    """
    with ExitStack() as stack:
        url = server.socket_url
        people = [
            stack.enter_context(WebSocketPeer(url(room=room, nick=f"{nick} {room[-8:]}"))) for nick in PEOPLE
        ]
        for person in people:
            person.arrived()
        for n in range(after + 1, after + count + 1):
            people[n // 2 % len(people)].say(KINDS[n % len(KINDS)].format(n=n))
        people[0].until(
            lambda heard: any(f'"seq":{after + count},' in words for words in heard[-100:]), seconds=120
        )

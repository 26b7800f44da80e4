"""A client core over a real WebSocket, in a thread: the smallest shell that it needs."""

from __future__ import annotations

import queue
import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, Self, TypeVar

from websockets.exceptions import ConnectionClosed, InvalidMessage
from websockets.sync.client import ClientConnection, connect

from chatservice.client.core import ClientCore
from chatservice.client.events import Connect, Drop, Event, Failed, Replied
from chatservice.client.link import State
from e2e.server import eventually

Answer = TypeVar("Answer")
GLANCE_S = 0.02  # how long it listens before it looks at its timers and at what the test wants


class Shell:
    """One person.

    :ivar told: every event so far.
    """

    def __init__(self, url: str, **more: Any) -> None:
        self.told: list[Event] = []
        self.core = ClientCore(cid=lambda: uuid.uuid4().hex, random=random.random, **more)
        self._url = url
        self._socket: ClientConnection | None = None
        self._stack = ExitStack()
        self._wishes: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(20)

    def do(self, wish: Callable[[ClientCore], Answer]) -> Answer:
        """Ask the core for something, in its own thread."""
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._wishes.put(lambda: answers.put(wish(self.core)))
        return answers.get(timeout=20)

    def ask(self, wish: Callable[[ClientCore], int | str]) -> Replied | Failed:
        """Ask the server for something; its answer."""
        id = self.do(wish)

        def answers() -> list[Replied | Failed]:
            return [e for e in list(self.told) if isinstance(e, Replied | Failed) and e.id == id]

        return eventually(answers, "an answer")[0]

    def is_online(self) -> bool:
        return self.core.state is State.ONLINE

    def is_settled(self) -> bool:
        """Everything it said has its answer."""
        return self.is_online() and self.core.unsent == 0

    # --- in its thread ---

    def _run(self) -> None:
        self._connect()
        while not self._over.is_set():
            with suppress(queue.Empty):
                while True:
                    self._wishes.get_nowait()()
            timer = self.core.next_timer()
            if timer is not None and timer <= time.monotonic():
                self._note(self.core.tick(time.monotonic()))
            self._listen()
        self._stack.close()

    def _connect(self) -> None:
        try:
            opening = connect(self._url, proxy=None, open_timeout=5, close_timeout=1, ping_interval=None)
            self._socket = self._stack.enter_context(opening)
        except (OSError, InvalidMessage):
            self._note(self.core.closed(None, time.monotonic()))
        else:
            self._note(self.core.opened(time.monotonic()))

    def _listen(self) -> None:
        socket = self._socket
        if socket is None:
            time.sleep(GLANCE_S)
            return
        try:
            for frame in self.core.outgoing():
                socket.send(frame)
            received = socket.recv(timeout=GLANCE_S)
        except TimeoutError:
            return
        except ConnectionClosed:
            self._hang_up()
            self._note(self.core.closed(socket.close_code, time.monotonic()))
        else:
            self._note(self.core.received(received, time.monotonic()))

    def _note(self, events: list[Event]) -> None:
        self.told += events
        for event in events:
            if isinstance(event, Drop):
                self._hang_up()
            elif isinstance(event, Connect):
                self._connect()

    def _hang_up(self) -> None:
        self._socket = None
        self._stack.close()

"""How a command gets something done: by the running service, or on the store itself when none runs."""

from __future__ import annotations

import os
import queue
import socket
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from chatservice.backups import Backups
from chatservice.config import FILES, BadConfig, Config, read_config
from chatservice.dialects.phrases import say
from chatservice.domain.accounts import Account, Registry
from chatservice.domain.errors import Refused
from chatservice.domain.events import Entry
from chatservice.domain.ports import LogError
from chatservice.identity.names import PrecisNames
from chatservice.identity.passwords import Passwords
from chatservice.identity.users import Users
from chatservice.logs.audit import AuditFile
from chatservice.logs.backup import give_to_owner
from chatservice.logs.registry import REDIS, BadStore, database_of, engine_of, open_log
from chatservice.operator import Operator, Rooms
from chatservice.preparing import Secrets, take_lock
from chatservice.transports.control import LINE_BYTES, address_of

PATIENCE_S = 30.0
"""So long a command may take: a password is hashed, and others may be before it."""

REMEDY = ": give --data, --store or --config as the service was given them"
"""For who has looked in the wrong place."""

Fields = Mapping[str, Any]
Ask = Callable[[Fields], Fields]


class Failed(Exception):
    """The command was not done; its text is one line for the operator."""


REFUSALS = (BadConfig, BadStore, Failed, LogError)
"""What is told in one line."""


def store_arguments(parser: ArgumentParser) -> None:
    """Where the chat is that a command is about."""
    parser.add_argument("--data", metavar="DIR", help="data directory [$STATE_DIRECTORY, else ./chat-data]")
    parser.add_argument("--store", metavar="STORE", help="the log, as the service was told [sqlite:]")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="settings, as the service was told [./chat.toml, else /etc/chatservice/chat.toml]",
    )


def settings(args: Namespace) -> Config:
    """The settings of that chat.

    :raises BadConfig: see `read_config`.
    """
    given = {name: value for name in ("data", "store", "config") if (value := getattr(args, name)) is not None}
    return read_config(given, os.environ, FILES)


@contextmanager
def asking(config: Config, patience_s: float = PATIENCE_S, *, begins: bool = False) -> Iterator[Ask]:
    """Gives a function that does one command after the other.

    :param patience_s: so long each may take.
    :param begins: a new chat may begin with this command. With any other a mistyped `--data` makes nothing.
    :raises Failed: there, if one was refused; here, if nobody can do any.
    """
    control = _reach(config)
    if control is None:
        with _own_store(config, patience_s, begins=begins) as ask:
            yield ask
        return
    with control:
        control.settimeout(patience_s)
        yield lambda fields: _ask(control, fields)


def _reach(config: Config) -> socket.socket | None:
    try:
        address, directory = address_of(config.data)
    except OSError:
        return None
    control = socket.socket(socket.AF_UNIX)
    control.settimeout(PATIENCE_S)
    try:
        control.connect(address)
    except (FileNotFoundError, ConnectionRefusedError):
        control.close()
        return None
    except OSError as error:
        control.close()
        raise Failed(f"cannot reach the running chat in {config.data}: {error.strerror}") from error
    finally:
        os.close(directory)
    return control


def _ask(control: socket.socket, fields: Fields) -> Fields:
    try:
        control.sendall(orjson.dumps(fields) + b"\n")
        answer = bytearray()
        while not answer.endswith(b"\n") and (more := control.recv(LINE_BYTES)):
            answer += more
        told: dict[str, Any] = orjson.loads(answer)
    except (OSError, ValueError) as error:
        raise Failed("the running chat gave no answer") from error
    if not told.get("ok"):
        raise Failed(str(told.get("error")))
    return told


@contextmanager
def _own_store(config: Config, patience_s: float, *, begins: bool) -> Iterator[Ask]:
    """The data directory is locked meanwhile."""
    database = database_of(config.store, config.data)
    if not (begins and database is not None):
        look_for(config.data)
    if config.store.startswith("memory:"):
        raise Failed("no chat runs here, and one that keeps nothing has nothing to look after")
    if engine_of(config.store) in REDIS:
        raise Failed("no chat runs here; what is in Redis is looked after by one that runs: start it first")
    assert database is not None
    if not _is_there(database):
        if not begins:
            raise Failed(f"there is no chat in {config.data} (no {database.name}){REMEDY}")
        sys.stderr.write(f"chatservice: a new chat begins in {config.data}\n")
    lock = take_lock(config.data)
    audit = config.data / "audit.log"
    calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
    log = open_log(
        config.store,
        config.data,
        config.durability,
        call_soon=calls.put,
        call_from_thread=calls.put,
        clock=time.time,
        randomness=Secrets(),
    )
    registry, passwords = Registry(PrecisNames()), Passwords(calls.put)
    users = Users(registry, log, passwords, lambda: "u_" + Secrets().token(), time.time)
    operator = Operator(
        users, Rooms(log), Backups(config.store, config.data, calls.put), AuditFile(audit, _tell), time.time
    )

    def ask(fields: Fields) -> Fields:
        promise = operator.run(fields, os.getuid())
        deadline = time.monotonic() + patience_s
        while not promise.done:
            try:
                calls.get(timeout=max(0.0, deadline - time.monotonic()))()
            except queue.Empty:
                raise Failed("that took too long") from None
        try:
            return promise.result()
        except Refused as refusal:
            raise Failed(say("en", refusal.about, refusal.params)) from None

    try:
        log.start(_Sink(registry))
        yield ask
    finally:
        passwords.close()
        log.stop()
        # What took too long may be done all the same, and then it is put on record.
        while not calls.empty():
            calls.get()()
        if _is_there(audit):
            give_to_owner(audit)
        lock.close()


def look_for(data: Path) -> None:
    """Whether there is that data directory.

    :raises Failed: if not: then it is mistyped, or another than the service's.
    """
    if not _is_there(data):
        raise Failed(f"there is no data directory {data}{REMEDY}")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a directory above it that we may not enter
        raise Failed(f"cannot look at {path}: {error.strerror}") from error


def _tell(error: BaseException) -> None:
    sys.stderr.write(f"chatservice: it is not in the audit log: {error}\n")


class _Sink:
    """Fills the registry; nobody else is there to be told."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def registered(self, account: Account) -> None:
        self._registry.put(account)

    def committed(self, entry: Entry) -> None: ...

    def pruned(self, room: str, first: int) -> None: ...

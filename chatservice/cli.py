"""The command `chatservice`: what the operator does beside running the service (docs/identity.md)."""

from __future__ import annotations

import argparse
import getpass
import os
import queue
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from chatservice import __version__
from chatservice.config import BadConfig, Config, read_config
from chatservice.dialects.phrases import say
from chatservice.domain.accounts import Account, Registry
from chatservice.domain.errors import Refused
from chatservice.domain.events import Entry
from chatservice.domain.ports import LogError
from chatservice.identity.names import PrecisNames
from chatservice.identity.passwords import Passwords
from chatservice.identity.users import ROLES, Users
from chatservice.logs.registry import REDIS, BadStore, open_log
from chatservice.service import Secrets, take_lock
from chatservice.transports.control import LINE_BYTES, address_of

PATIENCE_S = 30.0
"""So long a command may take: a password is hashed, and others may be before it."""

Fields = Mapping[str, Any]


class Failed(Exception):
    """The command was not done; its text is one line for the operator."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 if it was done, 1 if not, 2 if it was not understood."""
    args = _parser().parse_args(arguments)
    try:
        given = {"data": args.data, "store": args.store}
        config = read_config({name: value for name, value in given.items() if value}, os.environ)
        fields: dict[str, Any] = {"command": f"user {args.command}"}
        fields |= {name: value for name in ("name", "role") if (value := getattr(args, name, None)) is not None}
        if args.command in ("add", "passwd"):
            fields["password"] = read_password()
        told = ask_running(config, fields)
        _show(args.command, ask_store(config, fields) if told is None else told)
    except (BadConfig, BadStore, Failed, LogError) as error:
        sys.stderr.write(f"chatservice: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("chatservice", description="Look after a chat. `twistd chat` runs it.")
    parser.add_argument("--version", action="version", version=f"chatservice {__version__}")
    user = parser.add_subparsers(title="commands", required=True, metavar="user").add_parser(
        "user",
        help="who has an account",
        description="Who has an account; while the chat runs or not.",
    )
    commands = user.add_subparsers(dest="command", required=True, metavar="add|passwd|role|list")
    add = commands.add_parser("add", help="make an account; the password is asked for, or read from stdin")
    passwd = commands.add_parser("passwd", help="give another password, and end all sessions of the account")
    role = commands.add_parser("role", help="give another role")
    listing = commands.add_parser("list", help="show all accounts")
    for command in (add, passwd, role):
        command.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=ROLES, default="member", help="what it may everywhere [member]")
    role.add_argument("role", metavar="ROLE", choices=ROLES, help=", ".join(ROLES))
    for command in (add, passwd, role, listing):
        command.add_argument("--data", metavar="DIR", help="data directory [$STATE_DIRECTORY, else ./chat-data]")
        command.add_argument("--store", metavar="STORE", help="the log, as the service was told [sqlite:]")
    return parser


def read_password() -> str:
    """From the terminal, twice and unseen; else the first line of stdin. Never an argument: anybody lists those.

    :raises Failed: if the two are not the same.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise Failed("these are two different passwords")
    return password


def ask_running(config: Config, fields: Fields) -> Fields | None:
    """Have the running service do it; None if none runs.

    :raises Failed: if it did not.
    """
    try:
        address, directory = address_of(config.data)
    except OSError:
        return None
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(PATIENCE_S)
        try:
            control.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise Failed(f"cannot reach the running chat in {config.data}: {error.strerror}") from error
        finally:
            os.close(directory)
        try:
            control.sendall(orjson.dumps(fields) + b"\n")
            answer = b""
            while not answer.endswith(b"\n") and (more := control.recv(LINE_BYTES)):
                answer += more
            told: dict[str, Any] = orjson.loads(answer)
        except (OSError, ValueError) as error:
            raise Failed("the running chat gave no answer") from error
    if not told.get("ok"):
        raise Failed(str(told.get("error")))
    return told


def ask_store(config: Config, fields: Fields) -> Fields:
    """Do it ourselves, with the data directory locked.

    :raises Failed: if it was refused.
    """
    if config.store.startswith("memory:"):
        raise Failed("no chat runs here, and one that keeps nothing has no accounts")
    if config.store.partition(":")[0] in REDIS:
        raise Failed("no chat runs here; with Redis accounts are changed by one that runs: start it first")
    lock = take_lock(config.data)
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
    log.start(_Sink(registry))
    try:
        users = Users(registry, log, passwords, lambda: "u_" + Secrets().token(), time.time)
        promise = users.run(fields)
        deadline = time.monotonic() + PATIENCE_S
        while not promise.done:
            try:
                calls.get(timeout=max(0.0, deadline - time.monotonic()))()
            except queue.Empty:
                raise Failed("that took too long") from None
        return promise.result()
    except Refused as refusal:
        raise Failed(say("en", refusal.about, refusal.params)) from None
    finally:
        passwords.close()
        log.stop()
        lock.close()


class _Sink:
    """Fills the registry; nobody else is there to be told."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def registered(self, account: Account) -> None:
        self._registry.put(account)

    def committed(self, entry: Entry) -> None: ...

    def pruned(self, room: str, first: int) -> None: ...


def _show(command: str, told: Fields) -> None:
    if command != "list":
        user = told["user"]
        sys.stdout.write(f"{user['name']} ({user['role']}, {user['id']})\n")
        return
    for user in told["users"]:
        made = datetime.fromtimestamp(user["created_ms"] / 1000, UTC).strftime("%Y-%m-%d")
        sys.stdout.write(f"{user['role']:<7} {made}  {user['id']}  {user['name']}\n")


if __name__ == "__main__":
    sys.exit(main())

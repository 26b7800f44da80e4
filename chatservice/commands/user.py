"""`chatservice user`: who has an account (docs/identity.md)."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from typing import Any

from chatservice.commands.asking import Failed, Fields, asking, settings, store_arguments
from chatservice.identity.users import ROLES


def arguments(parser: ArgumentParser) -> None:
    """What may stand after `user`."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="add|passwd|role|list")
    add = commands.add_parser("add", help="make an account; the password is asked for, or read from stdin")
    passwd = commands.add_parser("passwd", help="give another password, and end all sessions of the account")
    role = commands.add_parser("role", help="give another role")
    listing = commands.add_parser("list", help="show all accounts")
    for command in (add, passwd, role):
        command.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=ROLES, default="member", help="what it may everywhere [member]")
    role.add_argument("role", metavar="ROLE", choices=ROLES, help=", ".join(ROLES))
    for command in (add, passwd, role, listing):
        store_arguments(command)


def run(args: Namespace) -> int:
    """Do it, while the chat runs or not."""
    config = settings(args)
    fields: dict[str, Any] = {"command": f"user {args.command}"}
    fields |= {name: value for name in ("name", "role") if (value := getattr(args, name, None)) is not None}
    if args.command in ("add", "passwd"):
        fields["password"] = read_password()
    with asking(config, begins=args.command == "add") as ask:
        _show(args.command, ask(fields))
    return 0


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


def _show(command: str, told: Fields) -> None:
    if command != "list":
        user = told["user"]
        sys.stdout.write(f"{user['name']} ({user['role']}, {user['id']})\n")
        return
    for user in told["users"]:
        made = datetime.fromtimestamp(user["created_ms"] / 1000, UTC).strftime("%Y-%m-%d")
        sys.stdout.write(f"{user['role']:<7} {made}  {user['id']}  {user['name']}\n")

"""What the operator's commands leave behind: a record of who did what, and nothing where there was nothing."""

from __future__ import annotations

import json
import os
import pwd
import stat
from pathlib import Path
from typing import Any

import pytest

from e2e.server import Server
from e2e.test_accounts import chatservice
from e2e.v1peer import V1Peer

OURSELVES = f"{pwd.getpwuid(os.getuid()).pw_name} ({os.getuid()})"
SECRETS = ("correct horse", "battery staple")


def deeds(server: Server) -> list[dict[str, Any]]:
    """What is on record, without the times."""
    lines = (server.data / "audit.log").read_text("utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name != "time"} for line in lines]


def act(server: Server) -> str:
    """Do everything that changes something, and some that only looks or is refused; Ann's id."""
    for words, typed, status in (
        (("room", "lock", "tea"), "", 0),
        (("room", "unlock", "tea"), "", 0),
        (("room", "topic", "tea", "leaves \u202eand water"), "", 0),
        (("room", "expire", "tea", "7d"), "", 0),
        (("room", "lock", "nowhere"), "", 1),
        (("room", "list"), "", 0),
        (("export", "tea"), "", 0),
        (("user", "add", "Ann"), SECRETS[0], 0),
        (("user", "add", "Bob"), "short", 1),
        (("user", "passwd", "ann"), SECRETS[1], 0),
        (("user", "role", "Ann", "mod"), "", 0),
        (("backup",), "", 0),
    ):
        done = chatservice(server.directory, *words, typed=typed)
        assert done.returncode == status, (words, done.stderr)
    listed = chatservice(server.directory, "user", "list").stdout
    return listed.split()[2]


@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it does not"])
def test_the_operators_acts_are_on_record(server: Server, running: bool) -> None:
    """The audit log has each act that changed something, who on this computer did it, and no password; what was
    refused and what only looks is not in it."""
    with V1Peer(server, "Zoe", rooms={"tea": None}) as zoe:
        assert zoe.ask("message", room="tea", text="hi")["type"] == "ok"
    if not running:
        server.stop()
    ann = act(server)
    who = {"actor": "operator", "unix": OURSELVES}
    assert deeds(server) == [
        {"room": "tea", "seq": 2, **who, "action": "lock", "value": "on"},
        {"room": "tea", "seq": 3, **who, "action": "lock", "value": "off"},
        {"room": "tea", "seq": 4, **who, "action": "topic", "value": "leaves \u202eand water"},
        {"room": "tea", "seq": 5, **who, "action": "expires", "value": "604800"},
        {**who, "action": "user add", "target": ann, "name": "Ann", "value": "member"},
        {**who, "action": "user passwd", "target": ann, "name": "Ann"},
        {**who, "action": "user role", "target": ann, "name": "Ann", "value": "mod"},
    ]
    written = (server.data / "audit.log").read_text("utf-8")
    assert "\u202e" not in written and not any(secret in written for secret in SECRETS)
    assert stat.S_IMODE((server.data / "audit.log").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "command",
    [
        ("user", "list"),
        ("user", "passwd", "Ann"),
        ("user", "role", "Ann", "mod"),
        ("room", "list"),
        ("room", "lock", "tea"),
        ("export", "tea"),
        ("backup",),
        ("backup", "copy.db"),
        ("restore", "copy.db"),
        ("move", "--to=redis://127.0.0.1:1"),
    ],
    ids=" ".join,
)
def test_a_mistyped_directory(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Where there is no data, and where there is a directory of something else, that is one sentence, and nothing
    is made."""
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "file").write_text("somebody's")
    before = sorted(tmp_path.rglob("*"))
    for data in ("typo", "else", "deep/in/nowhere"):
        done = chatservice(tmp_path, *command, "--data", data, typed="a long password\n")
        assert (done.returncode, done.stdout) == (1, ""), done
        assert done.stderr.startswith("chatservice: there is no ") and done.stderr.count("\n") == 1, done.stderr
        assert sorted(tmp_path.rglob("*")) == before


def test_accounts_before_the_first_start(tmp_path: Path) -> None:
    """The first account may be made before the chat has ever run; that a new chat begins there is said, once."""
    data = tmp_path / "new"
    done = chatservice(tmp_path, "user", "add", "Ann", "--data=new", typed="a long password\n")
    assert done.returncode == 0 and done.stdout.startswith("Ann (member, u_"), done.stderr
    assert done.stderr == f"chatservice: a new chat begins in {data}\n"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == {0o600}
    again = chatservice(tmp_path, "user", "add", "Bob", "--data=new", typed="a long password\n")
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.parametrize("said", ["x", "", "1.5", "-1", "10000000000", "10y", "99999999w", "1h30m", "\x1b[2J"])
def test_a_time_that_is_none(tmp_path: Path, said: str) -> None:
    """What cannot be a time is one sentence that says what can, before anybody is asked."""
    done = chatservice(tmp_path, "room", "expire", "tea", "--", said)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "say seconds, or such as 90m, 12h, 7d, 2w" in done.stderr and "\x1b" not in done.stderr


def test_what_is_in_redis_is_not_restored_here(tmp_path: Path) -> None:
    """With a Redis the way back is another one, and the sentence says which."""
    (tmp_path / "copy.db").write_text("")
    done = chatservice(tmp_path, "restore", "copy.db", "--store=redis://127.0.0.1:1")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "docs/scaling.md" in done.stderr and "chatservice move" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]

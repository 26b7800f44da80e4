"""What the operator's commands leave behind: a record of who did what, and nothing where there was nothing."""

from __future__ import annotations

import io
import json
import os
import pwd
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatservice.cli import main
from e2e.server import Server, clean_environment
from e2e.v1peer import V1Peer

OURSELVES = f"{pwd.getpwuid(os.getuid()).pw_name} ({os.getuid()})"
SECRETS = ("correct horse", "battery staple")


Here = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Runs a command in this process, in an empty directory: status, stdout, stderr. Who is asked for a password
    types one."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)

    def run(*words: str, typed: str = "a long password") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed + "\n"))
        return main(words), *capsys.readouterr()

    return run


def deeds(server: Server) -> list[dict[str, Any]]:
    """What is on record, without the times."""
    lines = (server.data / "audit.log").read_text("utf-8").splitlines()
    return [{name: value for name, value in json.loads(line).items() if name != "time"} for line in lines]


def act(here: Here) -> str:
    """Do everything that changes something, and some that only looks or is refused; Ann's id."""
    for words, typed, status in (
        (("room", "lock", "tea"), "", 0),
        (("room", "unlock", "tea"), "", 0),
        (("room", "topic", "tea", "leaves \u202eand water"), "", 0),
        (("room", "expire", "tea", "7d"), "", 0),
        (("room", "lock", "nowhere"), "", 1),
        (("room", "list"), "", 0),
        (("user", "add", "Ann"), SECRETS[0], 0),
        (("user", "add", "Bob"), "short", 1),
        (("user", "passwd", "ann"), SECRETS[1], 0),
        (("user", "role", "Ann", "mod"), "", 0),
        (("backup",), "", 0),
    ):
        done = here(*words, typed=typed)
        assert done[0] == status, (words, done)
    return here("user", "list")[1].split()[2]


@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it does not"])
def test_the_operators_acts_are_on_record(
    server: Server, here: Here, monkeypatch: pytest.MonkeyPatch, running: bool
) -> None:
    """The audit log has each act that changed something, who on this computer did it, and no password; what was
    refused and what only looks is not in it."""
    with V1Peer(server, "Zoe", rooms={"tea": None}) as zoe:
        assert zoe.ask("message", room="tea", text="hi")["type"] == "ok"
    if not running:
        server.stop()
    monkeypatch.chdir(server.directory)
    ann = act(here)
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
def test_a_mistyped_directory(tmp_path: Path, here: Here, command: tuple[str, ...]) -> None:
    """Where there is no data, and where there is a directory of something else, that is one sentence, and nothing
    is made."""
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "file").write_text("somebody's")
    before = sorted(tmp_path.rglob("*"))
    for data in ("typo", "else", "deep/in/nowhere"):
        status, out, err = here(*command, "--data", data)
        assert (status, out) == (1, "") and err.startswith("chatservice: there is no ") and err.count("\n") == 1, (
            err
        )
        assert sorted(tmp_path.rglob("*")) == before


def test_accounts_before_the_first_start(tmp_path: Path, here: Here) -> None:
    """The first account may be made before the chat has ever run; that a new chat begins there is said, once."""
    data = tmp_path / "new"
    status, out, err = here("user", "add", "Ann", "--data=new")
    assert status == 0 and out.startswith("Ann (member, u_")
    assert err == f"chatservice: a new chat begins in {data}\n"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == {0o600}
    status, _, err = here("user", "add", "Bob", "--data=new")
    assert (status, err) == (0, "")


@pytest.mark.parametrize("said", ["x", "", "1.5", "-1", "10000000000", "10y", "99999999w", "1h30m", "\x1b[2J"])
def test_a_time_that_is_none(here: Here, said: str) -> None:
    """What cannot be a time is one sentence that says what can, before anybody is asked."""
    status, _, err = here("room", "expire", "tea", "--", said)
    assert status == 1 and err.count("\n") == 1
    assert "say seconds, or such as 90m, 12h, 7d, 2w" in err and "\x1b" not in err


def test_what_is_in_redis_is_not_restored_here(tmp_path: Path, here: Here) -> None:
    """With a Redis the way back is another one, and the sentence says which."""
    (tmp_path / "copy.db").write_text("")
    status, _, err = here("restore", "copy.db", "--store=redis://127.0.0.1:1")
    assert status == 1 and err.count("\n") == 1 and "docs/scaling.md" in err and "chatservice move" in err
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]

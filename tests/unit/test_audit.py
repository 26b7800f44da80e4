"""The audit log's file."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from fakes import NOON, Troubles

from chatservice.domain.trust import Deed
from chatservice.logs.audit import FILES, AuditFile, as_line

BAN = Deed(int(NOON * 1000), "茶", "u_mod", "ban", 7, "u_eve", ("192.0.2.7",), "", int(NOON * 1000) + 60_000)


def test_a_line() -> None:
    """A deed is a JSON object on a line, with what it has and nothing empty."""
    assert json.loads(as_line(BAN)) == {
        "time": "2026-11-18T11:06:40.000Z",
        "room": "茶",
        "seq": 7,
        "actor": "u_mod",
        "action": "ban",
        "target": "u_eve",
        "addresses": ["192.0.2.7"],
        "until": "2026-11-18T11:07:40.000Z",
    }
    assert "茶" in as_line(BAN).decode()


@pytest.mark.parametrize("until", [2**53, 10**18])
def test_beyond_the_calendar(until: int) -> None:
    """A ban that ends after the year 9999 is noted too."""
    assert json.loads(as_line(Deed(0, "a", "b", "ban", 1, until=until)))["until"] == str(until)


@pytest.mark.parametrize(
    "evil", ["\r\n2026 forged", "\x1b[2J", "\x7f\x9b31m", "\u2028x", "\u202egnp", "\U000e0041", "a\0b"]
)
def test_nothing_that_a_terminal_would_act_upon(evil: str) -> None:
    """Line breaks, escapes, controls and what turns or hides text come out as JSON escapes: one deed, one line."""
    line = as_line(Deed(0, evil, evil, "topic", 1, value=evil, reason=evil)).decode()
    assert line.count("\n") == 1 and line.endswith("}\n")
    assert all(character.isprintable() for character in line[:-1])
    assert json.loads(line)["reason"] == json.loads(line)["value"] == evil


def test_the_file(tmp_path: Path) -> None:
    """Deeds are appended in order, for the owner's eyes only; a file that was moved away is made anew."""
    path, troubles = tmp_path / "audit.log", Troubles()
    audit = AuditFile(path, troubles.append)
    audit.note(BAN)
    AuditFile(path, troubles.append).note(Deed(0, "lobby", "u_mod", "kick", 8, "u_eve"))  # after a restart
    assert [json.loads(line)["action"] for line in path.read_text("utf-8").splitlines()] == ["ban", "kick"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.rename(tmp_path / "old")
    audit.note(BAN)
    assert len(path.read_text("utf-8").splitlines()) == 1 and troubles == []


def test_its_size_is_bounded(tmp_path: Path) -> None:
    """Five files of so many bytes, the newest deeds in them, and none is lost before its time."""
    troubles, size = Troubles(), 5 * len(as_line(BAN))
    audit = AuditFile(tmp_path / "audit.log", troubles.append, file_bytes=size)
    for seq in range(100, 200):
        audit.note(Deed(BAN.ts, BAN.room, BAN.actor, "ban", seq, BAN.target))
    names = ["audit.log", *(f"audit.log.{n}" for n in range(1, FILES))]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert all((tmp_path / name).stat().st_size <= size for name in names)
    kept = [
        json.loads(line)["seq"] for name in reversed(names) for line in (tmp_path / name).read_text().splitlines()
    ]
    assert kept == list(range(kept[0], 200)) and len(kept) > 5 * (FILES - 1)
    assert troubles == []


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """It is reported, and moderators can go on; a link somebody put there is not followed."""
    troubles = Troubles()
    AuditFile(tmp_path / "nowhere" / "audit.log", troubles.append).note(BAN)
    (tmp_path / "audit.log").symlink_to(tmp_path / "victim")
    AuditFile(tmp_path / "audit.log", troubles.append).note(BAN)
    assert [type(error) for error in troubles] == [FileNotFoundError, OSError]
    assert not (tmp_path / "victim").exists()

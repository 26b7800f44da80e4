"""What deploy/install asks: the libraries that settings need beside those that all need."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatservice.commands.extras import main


@pytest.mark.parametrize(
    ("settings", "store", "wanted"),
    [
        ("", "", ""),
        ('# store = "redis://localhost"\n', "", ""),
        ('store = "sqlite:"\narchive = "none"\n', "", ""),
        ("store='redis://localhost'\n", "", "[redis]"),
        ('  store   =   "unix:/run/redis.sock"\n', "", "[redis]"),
        ('store = "0-9=redis://a 10-255=redis://b"\n', "", "[redis]"),
        ('socketio-emitters = ["redis://localhost"]\n', "", "[redis]"),
        ("", "redis://:secret@localhost\n", "[redis]"),
        ("archive = 'postgresql://localhost/chat'\n", "rediss://localhost", "[redis,postgres]"),
        ('archive = "sqlite:"\n', "redis://localhost", "[redis]"),
    ],
)
def test_what_settings_need(
    settings: str,
    store: str,
    wanted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """However they say it, Redis and PostgreSQL are found; nothing of an address is repeated."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "chat.toml").write_text(settings)
    if store:
        (tmp_path / "store").write_text(store)
    assert main([str(tmp_path / "chat.toml")]) == 0
    assert capsys.readouterr() == (f"{wanted}\n", "")


def test_settings_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They need nothing; why is one line."""
    (tmp_path / "chat.toml").write_text("store = \n")
    assert main([str(tmp_path / "chat.toml")]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1
    assert main([str(tmp_path / "missing.toml")]) == 0 and capsys.readouterr().out == "\n"

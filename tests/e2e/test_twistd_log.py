"""The log's settings hold for whoever runs the chat: twistd in front and behind, and twist."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from e2e.server import CHECKOUT, clean_environment, eventually, free_port, heeds, twistd

TWIST = [sys.executable, "-m", "twisted"]


class Run:
    """A program that runs the chat; both its streams are in one file."""

    def __init__(self, directory: Path, command: list[str], options: tuple[str, ...]) -> None:
        self.said = directory / "said.txt"
        listen = f"--listen=tcp:{free_port()}:interface=127.0.0.1"
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [*command, "chat", listen, "--line=none", *options],
                cwd=directory,
                env=clean_environment({"PYTHONPATH": f"{CHECKOUT}:{directory}"}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def lines(self, file: Path | None = None) -> list[dict[str, Any]]:
        """What of it is JSON."""
        words = (file or self.said).read_text() if (file or self.said).exists() else ""
        return [json.loads(line) for line in words.splitlines() if line.startswith('{"ts"')]

    def events(self, file: Path | None = None) -> list[str]:
        """The names of those."""
        return [line["event"] for line in self.lines(file)]


@contextmanager
def running(directory: Path, command: list[str], *options: str) -> Iterator[Run]:
    """One, ended at the end."""
    run = Run(directory, command, options)
    try:
        yield run
    finally:
        run.process.terminate()
        run.process.wait(20)


@pytest.mark.parametrize("command", [[*twistd(), "-n"], TWIST], ids=["twistd", "twist"])
def test_the_form(tmp_path: Path, command: list[str]) -> None:
    """`--log-format json` after `chat`: each line is an object of ours, where the program's own would be."""
    with running(tmp_path, command, "--log-format=json") as run:
        eventually(lambda: "started" in run.events(), "the line of the start")
        (started,) = [line for line in run.lines() if line["event"] == "started"]
        assert started["level"] == "info" and "setting_unheard" not in run.events()


def test_the_level(tmp_path: Path) -> None:
    """`log-level` of the file leaves out what matters less, and SIGHUP brings it back."""
    (tmp_path / "chat.toml").write_text('log-level = "warn"\nlog-format = "json"\nnonsense = 1\n')
    with running(tmp_path, [*twistd(), "-n"]) as run:
        eventually(lambda: "unknown_setting" in run.events(), "a warning")
        assert "started" not in run.events()
        (tmp_path / "chat.toml").write_text('log-level = "info"\nlog-format = "json"\n')

        def heard() -> bool:
            os.kill(run.process.pid, signal.SIGHUP)  # the first one is read with the old level
            return "reload" in run.events()

        eventually(heard, "a line of what matters less")


def test_in_the_background(tmp_path: Path) -> None:
    """twistd's file has the lines, and SIGUSR1 begins a new one."""
    with running(tmp_path, twistd(), "--log-format=json") as run:
        assert run.process.wait(20) == 0
        log, pid = tmp_path / "twistd.log", tmp_path / "twistd.pid"
        try:
            eventually(lambda: "started" in run.events(log), "the line of the start")
            os.kill(int(pid.read_text()), signal.SIGUSR1)
            eventually(lambda: "started" in run.events(tmp_path / "twistd.log.1"), "the file that was")
        finally:
            os.kill(int(pid.read_text()), signal.SIGTERM)
        eventually(lambda: not pid.exists(), "the end")
        assert "started" not in run.events(log) and run.lines(log)


def test_somebody_else_writes(tmp_path: Path) -> None:
    """With a logger of its own twistd does not obey them, and that is told at the start and at SIGHUP."""
    command = [*twistd(), "-n", "--logger", "twisted_log.plain"]
    (tmp_path / "twisted_log.py").write_text(
        "import sys\nfrom twisted.logger import textFileLogObserver\n"
        "def plain():\n    return textFileLogObserver(sys.stdout)\n"
    )
    with running(tmp_path, command, "--log-level=warn") as run:
        words = "--log-level has no effect on the log of this twistd"
        eventually(lambda: words in run.said.read_text(), "the warning")
        eventually(lambda: heeds(run.process.pid, signal.SIGHUP), "its reactor")
        os.kill(run.process.pid, signal.SIGHUP)
        eventually(lambda: run.said.read_text().count(words) == 2, "the warning again")

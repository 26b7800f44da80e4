"""The tutorial and the quickstart do what they say: every program and every command in them is run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from npm import installed

from e2e.conftest import Serve
from e2e.server import CHECKOUT, PATIENCE_S, Server, clean_environment, eventually, free_port
from examples import examples, matches

DOCS = CHECKOUT / "docs"
CHAPTERS = ["README", "echo", "scream", "broadcast", "json", "socketio", "rooms"]
LESSONS = CHAPTERS[1:]

# What `npm install` of these would bring is there already, locked.
PACKAGES = {
    "ws": (CHECKOUT / "web", "ws"),
    "socket.io-client": (CHECKOUT / "tests" / "js", "client-4"),
}


_PORT = re.compile(r"(127\.0\.0\.1[: ]|port: )(\d{4})\b")


class Reader:
    """Somebody who sits in an empty directory and does what the page says.

    :param server: what they have running at 8080 and 9000.
    """

    def __init__(self, directory: Path, server: Server) -> None:
        self.directory = directory
        self.known: dict[str, str] = {}
        self.ran: list[str] = []
        self._server = server
        self._ports = {"8080": server.web_port, "9000": server.line_port}
        self._started: list[subprocess.Popen[bytes]] = []
        self._environment = clean_environment({"CHAT_DATA": str(server.data)})
        program = directory / "bin" / "chatservice"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m chatservice.cli "$@"\n')
        program.chmod(0o755)
        self._environment["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"

    def here(self, text: str) -> str:
        """With the ports there are instead of those on the page."""
        return _PORT.sub(lambda found: found[1] + str(self._port(found[2])), text)

    def _port(self, written: str) -> int:
        if written not in self._ports:
            self._ports[written] = free_port()
        return self._ports[written]

    def follow(self, page: Path, *kinds: str) -> None:
        """Save each program under its name, then do each command.

        :param kinds: of the blocks with commands; `sh` if none are named.
        """
        for name, program in examples(page, "js"):
            (self.directory / name).write_text(self.here(program), "utf-8")
        for _, session in (found for kind in kinds or ("sh",) for found in examples(page, kind)):
            for step in session.removeprefix("$ ").split("\n$ "):
                line, _, expected = step.partition("\n")
                self._do(line, self.here(expected.removesuffix("\n")))

    def _do(self, line: str, expected: str) -> None:
        self.ran.append(line)
        if line.startswith("npm install "):
            self._install(line.split()[2])
        elif line.endswith(" &"):
            self._start(line.removesuffix(" &"), expected)
        else:
            done = subprocess.run(
                ["bash", "-c", self.here(line)],
                cwd=self.directory,
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
            )
            got = done.stdout.removesuffix("\n")
            assert matches(expected, got, self.known), f"{line}\nexpected {expected}\n     got {got}{done.stderr}"

    def _install(self, package: str) -> None:
        directory, name = PACKAGES[package]
        link = self.directory / "node_modules" / package
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(installed(directory) / name)

    def _start(self, line: str, expected: str) -> None:
        said = self.directory / f"said-{len(self._started)}.txt"
        with said.open("wb") as out:
            self._started.append(subprocess.Popen(shlex.split(line), cwd=self.directory, stdout=out, stderr=out))
        eventually(lambda: said.read_text().removesuffix("\n") == expected, f"{line} to say {expected}")

    def leave(self) -> None:
        """End what was started."""
        for process in self._started:
            process.kill()
            process.wait(PATIENCE_S)


@pytest.fixture
def reader(serve: Serve, tmp_path: Path) -> Iterator[Reader]:
    """Somebody with a service of their own."""
    reader = Reader(tmp_path, serve())
    try:
        yield reader
    finally:
        reader.leave()


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson(reader: Reader, lesson: str) -> None:
    """Its programs, saved as they stand, say what stands below them: against their own server and against ours."""
    reader.follow(DOCS / "tutorial" / "README.md")
    reader.follow(DOCS / "tutorial" / f"{lesson}.md")
    assert len(reader.ran) >= 2
    assert any("8080" in line or "packets" in line or "rooms" in line for line in reader.ran)


def test_the_way_through() -> None:
    """The index names every lesson; each leads to the next and to the page about the wire, in both languages."""
    folder = DOCS / "tutorial"
    assert {page.stem for page in folder.glob("*.md")} == set(CHAPTERS)
    index = (folder / "README.md").read_text("utf-8")
    assert re.findall(r"^\| \d \| \[.*?\]\((\w+)\.md\)", index, re.M) == LESSONS
    for lesson, following in pairwise(LESSONS):
        assert f"]({following}.md)" in (folder / f"{lesson}.md").read_text("utf-8")
    for lesson in LESSONS:
        text = (folder / f"{lesson}.md").read_text("utf-8")
        assert "**Look at the wire.**" in text and "**看看线路。**" in text
        assert text.count("http://127.0.0.1:8080/wire") >= 2
    for page in [*folder.glob("*.md"), DOCS / "quickstart.md"]:
        for link in re.findall(r"\]\(([\w./-]+\.md)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name} leads to {link}"


def test_the_quickstart(reader: Reader) -> None:
    """The commands for a running service do what the page says."""
    reader.follow(DOCS / "quickstart.md")
    assert len(reader.ran) >= 5


def test_the_operators_page(reader: Reader) -> None:
    """So do those of docs/admin.md."""
    reader.follow(DOCS / "admin.md", "sh", "curl")
    assert len(reader.ran) == 2


def test_how_the_quickstart_starts_it(tmp_path: Path) -> None:
    """`make run` is `twistd -n chat` with what ARGS says, and then the banner is what the page shows."""
    assert "@exec $(BIN)/twistd -n chat $(ARGS)\n" in (CHECKOUT / "Makefile").read_text("utf-8")
    starts = [block for _, block in examples(DOCS / "quickstart.md", "run")]
    assert len(starts) == 2
    for number, block in enumerate(starts):
        line, *shown = block.splitlines()
        arguments = re.fullmatch(r'\$ make run(?: ARGS="(.*)")?', line)
        assert arguments is not None
        port = str(free_port())
        with Server(tmp_path / str(number), *shlex.split((arguments[1] or "").replace("8080", port))) as server:
            port = port if arguments[1] else str(server.web_port)
            for row in shown:
                row = row.partition("   <-")[0].replace("8080", port).replace("9000", str(server.line_port))
                said = [line.partition("   <-")[0] for line in server.banner.splitlines()]
                assert any(matches(row, line, {}) for line in said), f"{row!r} not in\n{server.banner}"

"""The curl lines of the documents do what stands below them, against a real server."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from websockets.sync.client import connect

from e2e.conftest import Serve
from e2e.server import CHECKOUT, PATIENCE_S, Server
from examples import examples, fill_in, matches

ADDRESS = "127.0.0.1:8080"


def steps(page: Path) -> Iterator[tuple[str, str]]:
    """Every `$ ` line of a page's curl examples, with what must come out."""
    for _, example in examples(page, "curl"):
        for step in example.removeprefix("$ ").split("\n$ "):
            line, _, expected = step.partition("\n")
            yield line, expected.strip()


def guest_token(server: Server) -> str:
    """The token of a guest called Ann, as chat.v1 gives it."""
    with connect(server.socket_url("/v1"), proxy=None) as connection:
        connection.send('{"type":"hello","id":1,"nick":"Ann"}')
        token: str = json.loads(connection.recv(PATIENCE_S))["guest_token"]
    return token


def run_page(page: Path, server: Server, known: dict[str, str] | None = None) -> int:
    """Run them all in order; how many there were. Without `known` a guest's is the TOKEN in them."""
    assert shutil.which("curl"), "curl is not installed; tests/install-tools tells what is needed"
    known, number = {"TOKEN": guest_token(server)} if known is None else known, 0
    for line, expected in steps(page):
        number += 1
        assert ADDRESS in line
        command = fill_in(line, known).replace(ADDRESS, f"127.0.0.1:{server.web_port}")
        done = subprocess.run(
            ["bash", "-c", command], cwd=server.directory, capture_output=True, text=True, timeout=PATIENCE_S
        )
        got = done.stdout.strip()
        assert matches(expected, got, known), f"{line}\nexpected {expected}\n     got {got}"
    return number


def test_http_page(serve: Serve) -> None:
    """docs/wire/http.md shows what happens."""
    assert run_page(CHECKOUT / "docs" / "wire" / "http.md", serve()) > 10


def test_readme(serve: Serve) -> None:
    """So do the curl lines in the README."""
    assert run_page(CHECKOUT / "README.md", serve()) >= 3


def test_a_reader_that_hangs_up(serve: Serve) -> None:
    """Streams, long-polls and exports that are cut off leave nothing behind: the next who speaks is heard."""
    server = serve()
    base = f"http://127.0.0.1:{server.web_port}/api/rooms/lobby"
    for more in (["-H", "Accept: text/event-stream", f"{base}/events"], [f"{base}/events?wait=20"]):
        command = ["curl", "-sN", "--max-time", "0.3", *more]
        assert subprocess.run(command, capture_output=True, timeout=PATIENCE_S).returncode == 28
    done = subprocess.run(["curl", "-s", "-d", "hi", f"{base}/messages"], capture_output=True, timeout=PATIENCE_S)
    assert json.loads(done.stdout)["seq"] == 1

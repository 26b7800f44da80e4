"""The JavaScript client library, as it is built, against a real server that is killed and restarted."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import Serve
from e2e.server import CHECKOUT, Server

LIVE = CHECKOUT / "web" / "test" / "live"
EACH = 40
TALKERS = 3


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is served as /client.js, built from what is here now, as a Node program keeps it: Node before 20.19
    takes a lone .js file for CommonJS."""
    subprocess.run(["make", "--no-print-directory", "web"], cwd=CHECKOUT, check=True)
    copy = tmp_path_factory.mktemp("library") / "client.mjs"
    shutil.copy(CHECKOUT / "chatservice" / "static" / "app" / "client.js", copy)
    return copy


def node(*arguments: object) -> list[str]:
    """A command line."""
    program = shutil.which("node")
    assert program, "node is not installed; tests/install-tools tells what is needed"
    return [program, *map(str, arguments)]


def test_everything_it_can_ask(library: Path, server: Server) -> None:
    """Rooms, messages, edits, reactions, search, direct conversations, identity: as the documents say."""
    done = subprocess.run(
        node(LIVE / "features.js", library, server.socket_url("/v1")), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "all true\n"), done.stdout + done.stderr


def test_kill_9_in_the_middle(library: Path, serve: Serve) -> None:
    """Three people talk while the server is killed twice: each message is there once, in order, seen by all."""
    server = serve("--insecure-no-limits")
    command = node(LIVE / "restarts.js", library, server.socket_url("/v1"), EACH)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        try:
            result = _talk(process, server)
        finally:
            process.kill()
    kept = result["kept"]
    assert [message["seq"] for message in kept] == list(range(1, TALKERS * EACH + 1))
    assert sorted(result["receipts"]) == [message["seq"] for message in kept]
    for person in result["people"]:
        texts = [message["text"] for message in kept if message["text"].startswith(f"{person['name']} ")]
        assert texts == [f"{person['name']} says {number}" for number in range(EACH)]
        assert person["messages"] == kept
        assert person["seqs"] == [message["seq"] for message in kept]
        assert len(person["ids"]) == 1, "it came back as somebody else"
        assert person["losses"] >= 2
        assert person["resets"] == 1


def _talk(process: subprocess.Popen[str], server: Server) -> Any:
    """Restart the server where the talkers stop; what they saw at the end."""
    assert process.stdin is not None and process.stdout is not None
    seen, stops = 0, 0
    stopped_at: int | None = None
    for line in process.stdout:
        said = json.loads(line)
        if "people" in said:
            assert stops == 2
            return said
        seen = said.get("seq", seen)
        stopped_at = said.get("number", stopped_at)
        if stopped_at is not None and seen >= stopped_at:
            server.kill9()
            server.start()
            stopped_at, stops = None, stops + 1
            process.stdin.write("back\n")
    raise AssertionError("the talkers ended before they had said everything")

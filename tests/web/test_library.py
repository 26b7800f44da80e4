"""What is in web/ without a server: its own tests, its types, its size, its build."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
BUILT = ["client.js", "client.iife.js"]
BYTES = 6 * 1024  # zipped; the smallest of its kind that recovers exactly has four times as much


def run(*command: str, **environment: str) -> str:
    """Run it in web/; what it said."""
    done = subprocess.run(
        command, cwd=WEB, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is built from the source as it is now."""
    assert shutil.which("npm"), "npm is not installed; tests/install-tools tells what is needed"
    app = tmp_path_factory.mktemp("app")
    run("./build", str(app))
    return app


def node_tests(**environment: str) -> None:
    tests = sorted(str(path) for path in (WEB / "test").glob("*.test.js"))
    assert tests
    said = run("node", "--test", *tests, **environment)
    passed = re.search(r"^. pass (\d+)$", said, re.M)
    assert passed and int(passed[1]) >= 60, said


@pytest.mark.parametrize(
    "zone",
    ["Asia/Shanghai", *(pytest.param(zone, marks=pytest.mark.slow) for zone in ("UTC", "America/New_York"))],
)
def test_source(app: Path, zone: str) -> None:
    """Its own tests hold, on a clock that is turned by hand, wherever that hangs."""
    node_tests(TZ=zone)


def test_built_file(app: Path, tmp_path: Path) -> None:
    """They hold for the built file too, in which names are shortened."""
    node_tests(CHAT_CLIENT=str(shutil.copy(app / "client.js", tmp_path / "client.mjs")))


@pytest.mark.parametrize("project", [".", "worker", "test/types"])
def test_types(app: Path, project: str) -> None:
    """The compiler finds nothing wrong in the source, nor in a strict program that uses client.d.ts."""
    run("node", "node_modules/typescript/bin/tsc", "-p", project)


@pytest.mark.parametrize("name", BUILT)
def test_size(app: Path, name: str) -> None:
    """It is small enough for any page."""
    assert len(gzip.compress((app / name).read_bytes(), 9)) <= BYTES


def test_same_again(app: Path, tmp_path: Path) -> None:
    """The same source gives the same bytes."""
    run("./build", str(tmp_path))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in app.iterdir()
    }


def test_script_tag(app: Path) -> None:
    """The one for a script tag leaves one name behind."""
    program = (
        "import { readFileSync } from 'node:fs'; import vm from 'node:vm';"
        "const window = { URL }; vm.runInNewContext(readFileSync(process.argv[1], 'utf8'), window);"
        "console.log(Object.keys(window).join(), Object.keys(window.ChatService).sort().join());"
    )
    said = run("node", "--input-type=module", "-e", program, str(app / "client.iife.js"))
    assert said == "URL,ChatService ChatClient,ChatError,View,browserStorage\n"


def test_no_download_addresses() -> None:
    """The lockfile pins what is taken by its digest, not where from."""
    lock = (WEB / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock and '"integrity"' in lock


def test_modules_are_small() -> None:
    """No source file of ours has 200 lines or more; the types are one file, because it is handed out."""
    sources = [path for path in WEB.rglob("*.js") if "node_modules" not in path.parts and "test" not in path.parts]
    assert len(sources) > 10
    assert [path.name for path in sources if len(path.read_text("utf-8").splitlines()) >= 200] == []

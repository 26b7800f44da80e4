"""What is built can be installed elsewhere and runs there."""

from __future__ import annotations

import re
import signal
import subprocess
import tarfile
import time
import urllib.request
import zipfile
from pathlib import Path

from e2e.browsing import Browsing
from package.conftest import BARE, CHECKOUT


def test_wheel_carries_everything(built: Path) -> None:
    """The wheel holds the plugin, the page and the schema, and nothing that hides Twisted."""
    names = set(zipfile.ZipFile(next(built.glob("*.whl"))).namelist())
    assert "twisted/plugins/chat_plugin.py" in names
    assert {f"chatservice/static/{name}" for name in ("lite.html", "robots.txt", "sw-off.js", "seal.svg")} <= names
    assert "chatservice/logs/schema/0001-log.sql" in names
    assert {f"chatservice/static/app/client{end}" for end in (".js", ".iife.js", ".d.ts")} <= names
    for major in ("2", "4"):
        assert f"chatservice/socketio/clients/{major}/socket.io.js" in names
        assert f"chatservice/socketio/clients/{major}/LICENSE" in names
    bundle = {path.name for path in (CHECKOUT / "chatservice/static/app").iterdir()}
    assert {name.rpartition("/")[2] for name in names if "/static/app/" in name} == bundle >= {"LICENSES.txt"}
    assert not names & {"twisted/__init__.py", "twisted/plugins/__init__.py"}
    assert not [name for name in names if name.startswith("tests/")]


def test_sdist_builds(built: Path) -> None:
    """The source distribution holds what a build needs, and the page as built: no node is needed."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.cfg", "pyproject.toml", "LICENSE", "twisted/plugins/chat_plugin.py"} <= names
    assert {"chatservice/static/app/assets.json", "chatservice/static/app/index.html"} <= names


def test_wheel_is_known_to_twistd(installed: Path, tmp_path: Path) -> None:
    """After `pip install` of the wheel, twistd lists chat, once."""
    done = subprocess.run([installed / "twistd", "--help"], capture_output=True, text=True, cwd=tmp_path, env=BARE)
    assert len(re.findall(r"^ +chat ", done.stdout, re.M)) == 1


def test_wheel_serves_the_page(installed: Path, tmp_path: Path, browsing: Browsing) -> None:
    """The installed service serves the full page and its files, the small page and its own, without node; the
    page runs in Chromium."""
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [installed / "twistd", "-n", "chat", "--listen", "tcp:0:interface=127.0.0.1", "--line", "none"],
            cwd=tmp_path, env={**BARE, "PATH": str(installed)}, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        full, small = (urllib.request.urlopen(found[0] + path).read().decode() for path in ("", "lite"))
        parts = re.findall(r'(?:src|href)="(app/[^"]+|[^"/]+)"', full) + re.findall(r'"(static/[^"]+)"', small)
        assert len(parts) >= 7
        for name in ["client.js", "sw.js", "robots.txt", "app/LICENSES.txt", *parts]:
            assert urllib.request.urlopen(found[0] + name).status == 200
        assert "the small one" not in log.read_text()
        browsing.page(found[0]).wait_for_function("document.body.innerText.trim() !== ''")
        browsing.finish()  # before the server: what the page still fetches would fail
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM  # twistd dies of the signal after an orderly stop

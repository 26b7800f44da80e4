"""What of deploy/ installs the service: the script for Debian, and the steps of the Dockerfile."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

from e2e.peers import WebSocketPeer
from e2e.server import eventually, free_port
from package.conftest import BARE, CHECKOUT

# What the service needs is there already, beside the tests; only the wheel is installed anew.
OFFLINE = {
    **BARE,
    "PIP_NO_DEPS": "1",
    "PIP_NO_INDEX": "1",
    "PIP_IGNORE_INSTALLED": "1",  # the chat may be installed beside the tests too
    "PYTHONPATH": sysconfig.get_path("purelib"),
}


def install(root: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the script, below a directory."""
    return subprocess.run(
        [CHECKOUT / "deploy" / "install", *arguments],
        env={**OFFLINE, "ROOT": str(root), "PYTHON": sys.executable, **more},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_install_script(built: Path, tmp_path: Path) -> None:
    """Into an empty system it puts program, settings, units and a place for secrets; a second time it leaves the
    settings as they are, and without a wheel it says what it wants."""
    wheel = next(built.glob("*.whl"))
    assert install(tmp_path).returncode == 2
    assert "there is no" in install(tmp_path, "nowhere.whl").stderr
    done = install(tmp_path, wheel)
    assert (done.returncode, done.stdout) == (0, "installed; nothing was started\n"), done.stderr
    settings = tmp_path / "etc" / "chatservice" / "chat.toml"
    assert settings.read_text() == (CHECKOUT / "deploy" / "chat.toml").read_text()
    assert stat.S_IMODE(settings.stat().st_mode) == 0o644  # the service is nobody in particular
    assert stat.S_IMODE((settings.parent / "secrets").stat().st_mode) == 0o700
    units = {path.name for path in (tmp_path / "etc" / "systemd" / "system").iterdir()}
    assert units == {
        "chat.service",
        "chat.socket",
        "chat-lines.socket",
        "chat@.service",
        "chat@.socket",
        "chat-lines@.socket",
        "chat.target",
    }
    assert os.readlink(tmp_path / "usr" / "local" / "bin" / "chatservice") == "/opt/chatservice/bin/chatservice"
    program = tmp_path / "opt" / "chatservice" / "bin" / "chatservice"
    unit = (tmp_path / "etc" / "systemd" / "system" / "chat.service").read_text()
    assert f"ExecStart=/{program.relative_to(tmp_path)} run\n" in unit
    told = subprocess.run([program, "version"], env=OFFLINE, capture_output=True, text=True, timeout=30)
    assert told.returncode == 0, told.stderr
    for name in units:
        text = (tmp_path / "etc" / "systemd" / "system" / name).read_text()
        page = re.search(r"^Documentation=file://(.+)$", text, re.M)
        assert name.endswith(".socket") or (page and (tmp_path / page[1].lstrip("/")).is_file()), name
    assert broken_links(tmp_path / "opt" / "chatservice" / "doc") == []

    settings.write_text('lang = "zh-CN"\n')
    assert install(tmp_path, wheel).returncode == 0
    assert settings.read_text() == 'lang = "zh-CN"\n'


def test_what_the_installer_shows(tmp_path: Path) -> None:
    """Pages and examples are for everybody to read; a password that an operator has put into one of the files is
    not, nor what else lies beside them."""
    checkout, program = tmp_path / "checkout", tmp_path / "root" / "opt" / "chatservice"
    for part in ("deploy", "docs"):
        shutil.copytree(CHECKOUT / part, checkout / part)
    redis = checkout / "deploy" / "redis.conf"
    redis.write_text(redis.read_text().replace(">PASSWORD ", ">hush "))
    (checkout / "deploy" / "chat.toml").write_text('redis-password = "hush"\n')
    (checkout / "deploy" / "my.key").write_text("hush")
    (program / "bin").mkdir(parents=True)
    for name in ("python", "pip"):
        (program / "bin" / name).write_text("#!/bin/sh\n")
        (program / "bin" / name).chmod(0o755)
    wheel = tmp_path / "chatservice-1.whl"
    wheel.touch()
    done = subprocess.run(
        [checkout / "deploy" / "install", wheel],
        env={**os.environ, "ROOT": str(tmp_path / "root"), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    shown = [path for path in (program / "doc").rglob("*") if path.is_file()]
    assert "hush" not in "".join(path.read_text(errors="replace") for path in shown)
    shipped = {path.name for path in (CHECKOUT / "deploy").iterdir()}
    assert {path.name for path in shown if path.parent.name == "deploy"} == shipped - {
        "install",
        "redis.conf",
        "chat.toml",
    }


def broken_links(root: Path) -> list[str]:
    """What the pages there link to and is not there."""
    pages = list(root.rglob("*.md"))
    assert len(pages) > 20
    return [
        f"{page.relative_to(root)}: {path}"
        for page in pages
        for path in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / path).exists()
    ]


PIP = '#!/bin/sh\nprintf "%s\\n" "$@" >> "{said}"\ncase "$*" in *psycopg*) exit 0 ;; esac\nexec "{pip}" "$@"\n'


def test_the_libraries_that_the_settings_need(built: Path, tmp_path: Path) -> None:
    """A Redis among the secrets and an archive in the settings bring their libraries; all the ways to say so are
    in tests/unit/test_extras.py."""
    wheel = next(built.glob("*.whl"))
    place, bin = tmp_path / "etc" / "chatservice", tmp_path / "opt" / "chatservice" / "bin"
    (place / "secrets").mkdir(parents=True)
    (place / "chat.toml").write_text("archive = 'postgresql://localhost/chat'\n")
    (place / "secrets" / "store").write_text("redis://:secret@localhost\n")
    subprocess.run([sys.executable, "-m", "venv", bin.parent], check=True, timeout=60)
    (bin / "pip").rename(bin / "pip.real")
    (bin / "pip").write_text(PIP.format(said=tmp_path / "said", pip=bin / "pip.real"))
    (bin / "pip").chmod(0o755)
    done = install(tmp_path, wheel)
    assert done.returncode == 0 and "secret" not in done.stdout + done.stderr, done.stderr
    said = (tmp_path / "said").read_text().splitlines()
    assert said[-2:] == [f"{wheel}[redis,postgres]", "psycopg[binary]"]


def instructions(root: Path, source: Path) -> list[tuple[str, str]]:
    """The Dockerfile's, with its places below `root` and its user being us."""
    text = (CHECKOUT / "deploy" / "Dockerfile").read_text()
    for place in ("/opt/chatservice", "/wheel", "/data"):
        text = re.sub(rf"(?<![\w/]){place}\b", f"{root}{place}", text)
    text = text.replace("10001:10001", f"{os.getuid()}:{os.getgid()}").replace("dist/", f"{source}/")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_steps_of_the_dockerfile(built: Path, tmp_path: Path) -> None:
    """Run one by one in an empty directory they make a service that starts with the image's own settings, passes
    its check, keeps its data in the volume, and ends in good order when the container is stopped."""
    web, line = free_port(), free_port()
    steps = [
        (word, rest.replace("8080", str(web)).replace("9000", str(line)))
        for word, rest in instructions(tmp_path, built)
    ]
    assert steps[0] == ("FROM", "python:3.11-slim-bookworm")
    (tmp_path / "wheel").mkdir()
    for word, rest in steps:
        if word == "COPY":
            pattern, _ = rest.split()
            for found in Path("/").glob(pattern.lstrip("/")):
                shutil.copy(found, tmp_path / "wheel")
        elif word == "RUN":
            step = rest.replace("python3 -m venv", f"{sys.executable} -m venv")
            subprocess.run(["sh", "-euc", step], env=OFFLINE, check=True, capture_output=True, timeout=120)
    said = dict(pair.split("=", 1) for word, rest in steps if word == "ENV" for pair in rest.split())
    named = dict(steps)
    command = [*json.loads(named["ENTRYPOINT"]), *json.loads(named["CMD"])]
    (tmp_path / "cwd").mkdir()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=tmp_path / "cwd",
            env={**OFFLINE, **said},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        check = json.loads(named["HEALTHCHECK"].partition("CMD ")[2])

        def healthy() -> bool:
            assert process.poll() is None, (tmp_path / "log").read_text()
            return subprocess.run(check, env=OFFLINE, capture_output=True, timeout=20).returncode == 0

        eventually(healthy, "the container's own check")
        with WebSocketPeer(f"ws://127.0.0.1:{web}/") as peer:
            peer.arrived()
            process.send_signal(getattr(signal, named["STOPSIGNAL"]))
            assert peer.close_code() == 1012
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "data" / "chat.db").exists() and list((tmp_path / "cwd").iterdir()) == []
    assert "Traceback" not in (tmp_path / "log").read_text()

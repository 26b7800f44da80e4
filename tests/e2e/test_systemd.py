"""Under a service manager: inherited sockets, readiness, reload, watchdog, and the unit files themselves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from e2e.knocking import knocking
from e2e.manager import Manager, listening, managed
from e2e.peers import LinePeer, WebSocketPeer
from e2e.raw import handshake
from e2e.server import CHECKOUT, Server, clean_environment, eventually, free_port, twistd
from e2e.test_accounts import chatservice
from e2e.test_operating import make_certificate

DEPLOY = CHECKOUT / "deploy"
UNITS = ("chat.service", "chat.socket", "chat-lines.socket")
WORKERS = ("chat@.service", "chat@.socket", "chat-lines@.socket", "chat.target")
MOST_EXPOSED = 1.5


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The unit files, with the program that is installed here."""
    (tmp_path / "units").mkdir()
    installed = Path(sys.executable).with_name("chatservice")
    program = str(installed) if installed.exists() else twistd()[1]  # from a checkout it is no program of its own
    for name in (*UNITS, *WORKERS):
        text = (DEPLOY / name).read_text()
        (tmp_path / "units" / name).write_text(text.replace("/opt/chatservice/bin/chatservice", program))
    return tmp_path / "units"


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`systemd-analyze`, which needs no systemd to run."""
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is missing: apt-get install systemd"
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)


def test_the_units_are_good(units: Path) -> None:
    """`systemd-analyze verify` has nothing to say about any of them."""
    done = analyze("verify", "--man=no", *(units / name for name in UNITS))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("number", ["1", "7"])
def test_the_units_of_workers_are_good(units: Path, number: str) -> None:
    """Those of several workers as well, whichever one it is; each socket is its worker's, and not the only
    one at its address."""
    for name in WORKERS[:3]:
        shutil.copy(units / name, units / name.replace("@", f"@{number}"))
    names = [name.replace("@", f"@{number}") for name in WORKERS]
    done = analyze("verify", "--man=no", *(units / name for name in names))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    for name in WORKERS[1:3]:
        text = (DEPLOY / name).read_text()
        assert "ReusePort=true" in text and "Service=chat@%i.service" in text


def test_workers_can_be_enabled(tmp_path: Path) -> None:
    """`systemctl enable` brings each worker with its own sockets, and all with the target."""
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for unit in (*DEPLOY.glob("chat*.service"), *DEPLOY.glob("chat*.socket"), DEPLOY / "chat.target"):
        shutil.copy(unit, units)
    command = ["systemctl", f"--root={tmp_path}", "enable", "chat@1", "chat@2", "chat.target"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    wanted = {link.name for link in (units / "chat.target.wants").iterdir()}
    kinds = ("chat@{}.service", "chat@{}.socket", "chat-lines@{}.socket")
    assert wanted == {kind.format(number) for kind in kinds for number in (1, 2)}


def test_a_worker_is_locked_up_as_well(units: Path) -> None:
    """A worker's exposure is at most 1.5, and it has every lock of the one service."""
    shutil.copy(units / "chat@.service", units / "chat@1.service")
    done = analyze("security", "--offline=true", units / "chat@1.service")
    found = re.search(r"Overall exposure level for chat@1\.service: ([0-9.]+) ", done.stdout)
    assert found and float(found[1]) <= MOST_EXPOSED, done.stdout + done.stderr
    one, several = ((DEPLOY / name).read_text() for name in ("chat.service", "chat@.service"))
    locks = re.findall(
        r"^(?:Capability|Ambient|NoNew|Protect|Private|Device|Restrict|Lock|Memory|System).*$", one, re.M
    )
    assert len(locks) > 20 and set(locks) <= set(several.splitlines())


def test_the_service_is_locked_up(units: Path) -> None:
    """Its exposure, as systemd reckons it without running it, is at most 1.5 of 10."""
    done = analyze("security", "--offline=true", units / "chat.service")
    found = re.search(r"Overall exposure level for chat\.service: ([0-9.]+) ", done.stdout)
    assert found and float(found[1]) <= MOST_EXPOSED, done.stdout + done.stderr


def test_the_units_are_enough(tmp_path: Path) -> None:
    """The command of the service, with the sockets as the units name them and no other settings: everybody comes
    in by them, the data is where systemd says, the log on stderr is JSON, and the end is a good one."""
    found = [re.search(r"FileDescriptorName=(.+)", (DEPLOY / name).read_text()) for name in UNITS[1:]]
    names = [match[1] for match in found if match]
    words = re.search(r"^ExecStart=/opt/chatservice/bin/chatservice (.*)$", (DEPLOY / UNITS[0]).read_text(), re.M)
    assert words
    state = tmp_path / "state"
    (tmp_path / "cwd").mkdir()
    with (
        Manager(*((name, listening()) for name in names), directory=tmp_path) as manager,
        (tmp_path / "journal").open("wb") as journal,
    ):
        process = subprocess.Popen(
            [*manager.becoming(sys.executable, "-m", "chatservice.cli"), *words[1].split()],
            cwd=tmp_path / "cwd",
            env=clean_environment({**manager.environment, "STATE_DIRECTORY": str(state)}),
            pass_fds=manager.descriptors,
            stdin=subprocess.DEVNULL,
            stderr=journal,
        )
        try:
            manager.until("READY=1")
            web, lines = (sock.getsockname()[1] for _, sock in manager.sockets)
            with LinePeer(lines) as line, WebSocketPeer(f"ws://127.0.0.1:{web}/scream") as peer:
                line.until(lambda heard: heard)
                peer.say("hi")
                peer.hears("HI!!!")
                process.terminate()
                assert peer.close_code() == 1012
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
    assert (state / "chat.db").exists() and list((tmp_path / "cwd").iterdir()) == []
    told = [json.loads(row) for row in (tmp_path / "journal").read_text().splitlines()]
    assert "started" in {row["event"] for row in told} and not {row["level"] for row in told} & {
        "error",
        "critical",
    }


def drop_ins() -> list[Path]:
    """Settings that are put beside the unit where they are wanted."""
    return sorted(DEPLOY.glob("chat-*.conf"))


@pytest.mark.parametrize("name", [path.name for path in drop_ins()])
def test_the_drop_ins_are_good(units: Path, name: str) -> None:
    """Each of them goes with the unit, and takes nothing of its locks away."""
    (units / "chat.service.d").mkdir()
    shutil.copy(DEPLOY / name, units / "chat.service.d" / name)
    done = analyze("verify", "--man=no", *(units / unit for unit in UNITS))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert "LoadCredential=" in (DEPLOY / name).read_text()


@pytest.mark.parametrize("abstract", [False, True], ids=["a path", "an abstract name"])
def test_what_the_manager_is_told(tmp_path: Path, abstract: bool) -> None:
    """READY once everybody can come in and the log is open; RELOADING with the time and READY again at SIGHUP;
    signs of life; STOPPING before anybody is sent away."""
    manager = Manager(("web", listening()), directory=None if abstract else tmp_path)
    options = ("--listen=systemd:web", "--line=none")
    with manager, managed(tmp_path / "s", manager, *options, environment={"WATCHDOG_USEC": "3000000"}) as server:
        assert manager.until("READY=1")[-1] == "READY=1"
        assert (server.data / "chat.db").exists()
        with WebSocketPeer(server.socket_url()) as peer:
            peer.arrived()
            manager.until("STATUS=1 connections")
            manager.until("WATCHDOG=1")
            os.kill(server.pid, signal.SIGHUP)
            reloading = manager.until("RELOADING=1")[-1]
            assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=[0-9]+", reloading)
            assert manager.until("READY=1")[-1] == "READY=1"
            os.kill(server.pid, signal.SIGTERM)
            manager.until("STOPPING=1")
            assert peer.close_code() == 1012
        server.stop()


def test_nobody_watches_over_another_process(tmp_path: Path) -> None:
    """A watchdog that is meant for another process is not told anything."""
    manager = Manager(("web", listening()), directory=tmp_path)
    options = ("--listen=systemd:web", "--line=none")
    environment = {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}
    with manager, managed(tmp_path / "s", manager, *options, environment=environment) as server:
        manager.until("READY=1")
        with WebSocketPeer(server.socket_url()):
            manager.until("STATUS=1 connections")
        manager.until("STATUS=0 connections")
        server.stop()
        manager.until("STOPPING=1")
    assert not any("WATCHDOG" in told for told in manager.told)


def test_all_sockets_of_one_name(tmp_path: Path) -> None:
    """Several sockets with one name are all listened at, of both families; a UNIX socket keeps mode and
    place when the service has gone."""
    path = tmp_path / "web.sock"
    at_path = listening(socket.AF_UNIX, str(path))
    path.chmod(0o620)
    four = listening()
    six = listening(socket.AF_INET6, ("::1", 0))
    manager = Manager(("web", four), ("web", six), ("web", at_path), directory=tmp_path)
    with manager, managed(tmp_path / "s", manager, "--listen=systemd:name=web", "--line=none") as server:
        for _ in range(2):
            for sock in (four, six, at_path):
                with socket.socket(sock.family) as bare:
                    bare.settimeout(10)
                    bare.connect(sock.getsockname())
                    bare.sendall(handshake("/echo"))
                    assert bare.recv(1000).startswith(b"HTTP/1.1 101 ")
            assert stat.S_IMODE(path.stat().st_mode) == 0o620
            server.restart()


def test_tls_on_an_inherited_socket(tmp_path: Path) -> None:
    """TLS can be ours on a socket that is not, with the key from a credentials directory."""
    key, certificate = tmp_path / "chat_tls.key", tmp_path / "chat_tls.crt"
    make_certificate(key, certificate)
    manager = Manager(("web", listening()), directory=tmp_path)
    listen = f"--listen=systemd:web:privateKey={key}:certKey={certificate}"
    with manager, managed(tmp_path / "s", manager, listen, "--line=none") as server:
        done = subprocess.run(
            ["curl", "-sS", "--cacert", certificate, f"https://127.0.0.1:{server.web_port}/lite"],
            capture_output=True,
            timeout=20,
        )
        assert b"<html" in done.stdout, done.stderr


@pytest.mark.parametrize("listen", ["systemd:web", "systemd:lines"])
def test_a_socket_that_is_not_there(tmp_path: Path, listen: str) -> None:
    """A name under which nothing was handed over is one clear line, and no start."""
    manager = Manager(("page", listening()))
    with manager:
        done = subprocess.run(
            [*manager.command, "chat", f"--listen={listen}", "--line=none"],
            cwd=tmp_path,
            env=clean_environment(),
            pass_fds=manager.descriptors,
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert done.returncode == 1
    assert done.stderr.strip() == f"chat: {listen}: no socket of that name was handed over; there is page"


def test_started_by_systemds_own_program(tmp_path: Path) -> None:
    """systemd-socket-activate opens the socket, waits for the first who connects, and hands both over."""
    program = shutil.which("systemd-socket-activate")
    assert program, "systemd-socket-activate is missing: apt-get install systemd"
    port = free_port()
    command = [
        program,
        f"--listen=127.0.0.1:{port}",
        "--fdname=web",
        "--setenv=PYTHONPATH",
        *twistd(),
        "-n",
        "chat",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--listen=systemd:web", "--line=none"],
            cwd=tmp_path,
            env=clean_environment(),
            stdout=log,
            stderr=log,
        )
    try:

        def screams() -> bool:
            try:
                with WebSocketPeer(f"ws://127.0.0.1:{port}/scream") as peer:
                    peer.say("hi")
                    peer.hears("HI!!!")
            except OSError:
                return False
            return True

        eventually(screams, "somebody who answers")
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_restart_refuses_nobody(tmp_path: Path) -> None:
    """While the service is stopped and started again, people connect all the time: not one is refused or cut
    before it is answered."""
    manager = Manager(("web", listening()), directory=tmp_path)
    running = managed(tmp_path / "s", manager, "--listen=systemd:web", "--line=none")
    with manager, running as server, knocking(server.web_port) as answered:
        answers = answered()
        eventually(lambda: len(answers) > 50, "fifty answers")
        server.restart()
        before = len(answers)
        eventually(lambda: len(answers) > before + 50, "fifty more")
    bad = [answer for answer in answers if answer != b"HTTP/1.1 200 OK"]
    # What was accepted in the very moment of the end was cut: it is one at most, there is one who knocks.
    assert len(bad) <= 1, bad
    sys.stdout.write(f"{len(answers)} answers, {len(bad)} cut\n")


def test_without_a_manager(tmp_path: Path) -> None:
    """A manager's socket that is gone is one line in the log, and no reason not to serve."""
    with Server(tmp_path, environment={"NOTIFY_SOCKET": str(tmp_path / "nobody")}) as server:
        with WebSocketPeer(server.socket_url("/scream")) as peer:
            peer.say("hi")
            peer.hears("HI!!!")
        assert server.log.count("the service manager cannot be told") == 1


# prctl(2), PR_SET_MDWE: what MemoryDenyWriteExecute= asks of the kernel, for this process and all it becomes.
LOCKED = """
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(65, 1, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    os.execv(sys.argv[1], sys.argv[1:])
"""


def test_no_memory_is_written_and_executed(tmp_path: Path) -> None:
    """Where no memory may be both, as the unit has it, TLS, passwords and everything else work all the same."""
    port = free_port()
    command = [sys.executable, "-c", LOCKED, *twistd(), "-n"]
    with Server(tmp_path, f"--self-signed={port}", command=command) as server:
        trusted = ssl.create_default_context(cafile=str(server.data / "tls" / "self-signed.crt"))
        with WebSocketPeer(f"wss://localhost:{port}/scream", ssl=trusted) as peer:
            peer.say("hi")
            peer.hears("HI!!!")
        added = chatservice(server.directory, "user", "add", "Ann", typed="a long password\n")
        assert added.returncode == 0, added.stderr
        login = json.dumps({"name": "Ann", "password": "a long password"}).encode()
        request = Request(f"{server.page_url}v1/login", login, {"Content-Type": "application/json"})
        with urlopen(request, timeout=20) as answer:
            assert json.load(answer)["token"]

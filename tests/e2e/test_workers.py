"""`--workers N`: several processes behind the same ports are one chat, and are replaced without anybody
noticing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from redis_server import RedisServer

from e2e.crowd import Crowd
from e2e.family import Family
from e2e.knocking import knocking
from e2e.manager import Manager, listening, managed
from e2e.peers import LinePeer, WebSocketPeer
from e2e.raw import connected, exchange, handshake
from e2e.server import clean_environment, eventually, free_port, twistd
from e2e.test_accounts import chatservice
from e2e.test_operating import make_certificate
from e2e.test_restart import check_the_log, raise_file_limit
from e2e.test_start import refusal
from e2e.v1peer import V1Peer

SPREAD = 0.15
PARENT_KIB = 22_000
PER_ROOM = 20
TALKERS = 20
KNOCKERS = 3


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """A store that several can share."""
    with RedisServer() as server:
        yield server.url


@pytest.fixture
def fresh() -> Iterator[str]:
    """One with nothing in it."""
    with RedisServer() as server:
        yield server.url


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory, redis: str) -> Iterator[Family]:
    """Two workers, for all tests that leave them as they are."""
    with Family(tmp_path_factory.mktemp("family"), redis, 2, "--log-format=json") as family:
        yield family


@pytest.mark.parametrize("store", ["sqlite:", "memory:"])
def test_a_store_that_cannot_be_shared(tmp_path: Path, store: str) -> None:
    """Several processes on a store of one are refused in one sentence that says what to do."""
    assert refusal(tmp_path, "--workers=2", f"--store={store}") == (
        "--workers 2: several processes need a store that they can share; say --store redis://HOST or unix:PATH"
        " (docs/scaling.md)"
    )


def test_a_busy_port(tmp_path: Path, redis: str) -> None:
    """A port at which somebody listens is one line and no start, though several may share one."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = refusal(
            tmp_path, "--workers=2", f"--store={redis}", f"--listen=tcp:{port}:interface=127.0.0.1", "--line=none"
        )
    assert told == f"port {port} on 127.0.0.1 is in use"


def test_the_parent_is_small(family: Family) -> None:
    """The parent has nothing of the chat in its memory: neither OpenSSL nor any library but Python's own."""
    status = Path(f"/proc/{family.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found and int(found[1]) < PARENT_KIB, status
    maps = Path(f"/proc/{family.pid}/maps").read_text()
    assert "site-packages" not in maps and "libssl" not in maps
    sys.stdout.write(f"the parent has {found[1]} KiB\n")


@pytest.mark.parametrize(("n", "connects"), [(2, 1000), pytest.param(4, 2000, marks=pytest.mark.slow)])
def test_the_kernel_spreads_them(tmp_path: Path, redis: str, n: int, connects: int) -> None:
    """Connections are spread evenly over the workers: no one has 15 % more or less than its part."""
    with Family(tmp_path / "s", redis, n, "--log-format=json") as family:
        for _ in range(connects):
            with connected(family.web_port) as bare:
                bare.sendall(handshake("/echo"))
                assert bare.recv(1000).startswith(b"HTTP/1.1 101 ")
        eventually(lambda: sum(family.opened_by_worker().values()) == connects, "all of them in the log")
        taken = family.opened_by_worker()
    sys.stdout.write(f"{connects} connections: {dict(taken)}\n")
    assert len(taken) == n
    assert all(abs(count - connects / n) <= SPREAD * connects / n for count in taken.values()), taken


# --- replaced, killed ---


async def crowded(family: Family, people: int, happens: Callable[[], None]) -> Crowd:
    """People come, some talk, and something happens meanwhile; when it is over everybody comes in once more."""
    loop = asyncio.get_running_loop()
    crowd = Crowd(family.web_port, people, PER_ROOM)
    await crowd.come()
    await crowd.all_in(1)
    async with crowd.talking(TALKERS):
        await asyncio.sleep(1.0)  # the node measures by the second
        await loop.run_in_executor(None, happens)
        await asyncio.wait_for(asyncio.ensure_future(_settled(crowd)), 40)
    await asyncio.wait_for(crowd.all_acknowledged(), 15)
    crowd.leave()
    await asyncio.sleep(0)
    return crowd


async def _settled(crowd: Crowd) -> None:
    while not all(member.is_in for member in crowd.members):
        await asyncio.sleep(0.05)


def meet(family: Family, people: int, happens: Callable[[], None]) -> Crowd:
    """The same in a thread: Playwright's loop may be running in this one."""
    raise_file_limit(people)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(crowded(family, people, happens))).result()


def test_replaced_one_by_one(tmp_path: Path, fresh: str) -> None:
    """While both workers are replaced, people connect all the time and talk in rooms: not one connection is
    refused or cut unanswered, everybody was told when to come back, and nothing is lost or there twice."""
    with Family(tmp_path / "s", fresh, 2, "--log-format=json") as family:
        with knocking(family.web_port) as answers:
            eventually(lambda: len(answers()) > 20, "twenty answers")
            crowd = meet(family, 120, family.renew)
        check_the_log(family, crowd)
    wrong = [answer for answer in answers() if answer != b"HTTP/1.1 200 OK"]
    sys.stdout.write(f"{len(answers())} answers, {len(wrong)} of them none\n")
    assert wrong == []
    assert [fault for member in crowd.members for fault in member.faults] == []
    assert crowd.refused == crowd.untold == 0
    assert sum(len(member.acked) for member in crowd.members) > TALKERS


def go_on(knockers: list[Callable[[], list[bytes]]]) -> None:
    """Until each of them has had twenty more answers."""
    for answers in knockers:
        n = len(answers())
        eventually(lambda: len(answers()) > n + 20, "twenty answers")  # noqa: B023


def has_become(family: Family, n: int, times: int) -> bool:
    """Whether all workers were replaced so often, and there are so many now."""
    return len(family.noted("workers_replaced")) == times and len(family.workers) == n


def test_fewer_and_more(tmp_path: Path, fresh: str) -> None:
    """While three workers become one, and three again, several people connect all the time: not one connection is
    refused or cut unanswered, though two thirds of them went to sockets that were closed."""
    (tmp_path / "s").mkdir()
    toml = tmp_path / "s" / "chat.toml"
    toml.write_text("workers = 3\n")
    with Family(tmp_path / "s", fresh, 3, "--log-format=json", is_said=False) as family, ExitStack() as stack:
        knockers = [stack.enter_context(knocking(family.web_port)) for _ in range(KNOCKERS)]
        for times, n in enumerate((1, 3, 1), 1):
            go_on(knockers)
            toml.write_text(f"workers = {n}\n")
            os.kill(family.pid, signal.SIGHUP)
            eventually(partial(has_become, family, n, times), f"{n} workers", 60)
        go_on(knockers)
    answers = [answer for knocker in knockers for answer in knocker()]
    wrong = [answer for answer in answers if answer != b"HTTP/1.1 200 OK"]
    sys.stdout.write(f"{len(answers)} answers, {len(wrong)} of them none\n")
    assert wrong == []


def test_killed(tmp_path: Path, fresh: str) -> None:
    """A worker that is killed is started again, its people are back, and nobody misses anything; the other
    worker's people notice nothing."""
    with Family(tmp_path / "s", fresh, 2, "--log-format=json") as family:
        before = family.slots

        def kill() -> None:
            os.kill(before[1], signal.SIGKILL)
            eventually(lambda: len(family.noted("started")) == 3, "another worker")

        crowd = meet(family, 120, kill)
        check_the_log(family, crowd)
        after = family.slots
        died = family.noted("worker_died")
    assert after[2] == before[2] and after[1] != before[1]
    assert [line["how"] for line in died] == ["SIGKILL"]
    assert [fault for member in crowd.members for fault in member.faults] == []
    times = Counter(member.times_in for member in crowd.members)
    assert set(times) == {1, 2} and crowd.refused == 0, times


def test_settings_at_a_hangup(tmp_path: Path, redis: str) -> None:
    """At SIGHUP bad settings, or a port of somebody else, change nothing, and the log says why; good ones all take
    effect, also a listener and a room that a single process would keep until the next start."""
    (tmp_path / "s").mkdir()
    toml, line_port = tmp_path / "s" / "chat.toml", free_port()
    toml.write_text('default-room = "hall"\n')
    with Family(tmp_path / "s", redis, 2, "--log-format=json") as family, socket.socket() as other:
        before = family.slots
        toml.write_text('default-room = "hall"\nlang = "xx"\n')
        os.kill(family.pid, signal.SIGHUP)
        eventually(lambda: family.noted("reload_failed"), "a line that says what is wrong")
        assert "chat.toml: lang" in family.noted("reload_failed")[0]["reason"]
        assert family.slots == before
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = other.getsockname()[1]
        toml.write_text(f'redirect = ["{busy}"]\npublic-url = "https://chat.example.org/"\n')
        os.kill(family.pid, signal.SIGHUP)
        eventually(lambda: len(family.noted("reload_failed")) == 2, "a second line")
        assert f"port {busy}" in family.noted("reload_failed")[1]["reason"]
        assert family.slots == before
        toml.write_text(
            f'default-room = "salon"\nredirect = ["{line_port}"]\npublic-url = "https://chat.example.org/"\n'
        )
        family.renew()
        assert b"308 Permanent Redirect" in exchange(
            line_port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        with WebSocketPeer(family.socket_url()) as peer:
            peer.arrived()
            with V1Peer(family, rooms={"salon": None}) as watching:
                watching.until(lambda _: watching.hello["rooms"]["salon"]["n"] == 2)


def test_a_successor_that_cannot_start(tmp_path: Path, redis: str) -> None:
    """Where the first new worker ends before it is ready, the old ones stay, and the log says so."""
    with Family(tmp_path / "s", redis, 2, "--log-format=json") as family:
        before = family.slots
        key = family.data / "guest.key"
        whole = key.read_bytes()
        stop = threading.Event()

        def spoil() -> None:
            # After the plan was made, before the worker has looked.
            eventually(lambda: set(family.workers) - set(before.values()) or stop.is_set(), "a new worker")
            key.write_bytes(b"short")

        spoiling = threading.Thread(target=spoil)
        spoiling.start()
        os.kill(family.pid, signal.SIGHUP)
        try:
            eventually(lambda: family.noted("workers_not_replaced"), "a line that says it", 60)
        finally:
            stop.set()
            spoiling.join(20)
        key.write_bytes(whole)
        assert family.slots == before
        family.renew()


# --- as one chat ---


@pytest.mark.slow
def test_commands_and_accounts(family: Family) -> None:
    """`chatservice user` in the parent's data directory is answered by any worker, and all of them know at
    once."""
    for number in range(6):
        added = chatservice(family.directory, "user", "add", f"Ann{number}", typed="a long password\n")
        assert added.returncode == 0, added.stderr
    listed = chatservice(family.directory, "user", "list")
    assert listed.stdout.count("member") == 6, listed.stdout + listed.stderr
    login = json.dumps({"name": "Ann3", "password": "a long password"}).encode()
    for _ in range(6):
        asked = Request(f"{family.page_url}v1/login", login, {"Content-Type": "application/json"})
        with urlopen(asked, timeout=20) as answer:
            assert json.load(answer)["user"]["nick"] == "Ann3"


def test_one_owner(family: Family) -> None:
    """The one owner's token in the data directory holds at every worker."""
    token = (family.data / "owner.token").read_text().strip()
    before = family.opened_by_worker()
    while len(family.opened_by_worker() - before) < 2:
        with V1Peer(family, token=token, rooms={"owned": None}) as boss:
            assert boss.hello["user"]["role"] == "owner"
    assert sorted(path.name for path in family.data.glob("*.token")) == ["owner.token"]


def test_http_on_any_worker(family: Family) -> None:
    """Who comes by HTTP has each request on another connection: what is said by one worker is read by all, once,
    in order, and an idempotency key holds everywhere."""
    base, epoch = family.page_url + "api/rooms/visitors", ""
    for number in range(12):
        for _ in range(2):
            headers = {"Content-Type": "text/plain", "Idempotency-Key": f"key{number}"}
            with urlopen(Request(f"{base}/messages", f"line {number}".encode(), headers), timeout=20) as answer:
                assert json.load(answer)["seq"] == number + 1
        with urlopen(f"{base}/events?after={number}&epoch={epoch}", timeout=20) as answer:
            polled = json.load(answer)
        assert [event["text"] for event in polled["events"]] == [f"line {number}"]
        epoch = polled["epoch"]
    with V1Peer(family, rooms={"visitors": {"epoch": epoch, "seq": 6}}) as peer:
        joined = peer.hello["rooms"]["visitors"]
        assert joined["recovered"] and [event["seq"] for event in joined["events"]] == list(range(7, 13))


def test_a_guest_by_http_on_any_worker(family: Family) -> None:
    """A guest's token is the same person at every worker, whatever it came from."""
    with V1Peer(family, "Wandering Wendy", rooms={"wander": None}) as wendy:
        for number in range(8):
            headers = {"Authorization": f"Bearer {wendy.hello['guest_token']}", "Content-Type": "text/plain"}
            url = f"{family.page_url}api/rooms/wander/messages"
            with urlopen(Request(url, f"{number}".encode(), headers), timeout=20) as answer:
                assert answer.status == 201
        wendy.until(lambda _: len(wendy.texts("wander")) == 8)
        assert {frame["from"]["id"] for frame in wendy.events("message", room="wander")} == {wendy.id}


# --- where it listens ---


def test_all_kinds_of_listeners(tmp_path: Path, redis: str) -> None:
    """TLS with a key of ours and with a self-signed one, lines, a UNIX socket and the metrics' ports are all
    served, and files and sockets are as they would be with one process."""
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.crt"
    make_certificate(key, certificate, "localhost")
    ports = [free_port() for _ in range(2)]
    metrics = free_port()
    path = tmp_path / "web.sock"
    with Family(
        tmp_path / "s",
        redis,
        2,
        f"--listen=ssl:{ports[0]}:privateKey={key}:certKey={certificate}:interface=127.0.0.1",
        f"--listen=unix:{path}:mode=660",
        f"--self-signed={ports[1]}",
        f"--metrics-listen=tcp:{metrics}:interface=127.0.0.1",
    ) as family:
        for port, trusted in zip(ports, (certificate, family.data / "tls" / "self-signed.crt"), strict=True):
            for _ in range(6):
                context = ssl.create_default_context(cafile=str(trusted))
                with WebSocketPeer(f"wss://localhost:{port}/scream", ssl=context) as peer:
                    peer.say("hi")
                    peer.hears("HI!!!")
        with LinePeer(family.line_port) as line:
            line.until(lambda heard: heard)
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        for _ in range(6):
            with socket.socket(socket.AF_UNIX) as bare:
                bare.settimeout(10)
                bare.connect(str(path))
                bare.sendall(handshake("/echo"))
                assert bare.recv(1000).startswith(b"HTTP/1.1 101 ")
        with WebSocketPeer(family.socket_url()) as peer:
            peer.arrived()
            live = []
            for number in range(2):
                with urlopen(f"http://127.0.0.1:{metrics + number}/metrics", timeout=20) as answer:
                    found = re.search(
                        r'^chat_connections{transport="websocket"} (\S+)', answer.read().decode(), re.M
                    )
                assert found
                live.append(float(found[1]))
        assert sorted(live) == [0.0, 1.0], "each worker has numbers of its own"
    assert not path.exists() and not list((family.data / "workers").iterdir())


def test_sockets_of_the_service_manager(tmp_path: Path, redis: str) -> None:
    """Sockets of systemd are shared by all workers; READY is told when all are, what is reloaded is told, there
    are signs of life, and how many are connected."""
    manager = Manager(("web", listening()), directory=tmp_path)
    options = ("--line=none", "--workers=2", f"--store={redis}", "--insecure-no-limits")
    environment = {"WATCHDOG_USEC": "3000000"}
    with manager, managed(tmp_path / "s", manager, *options, environment=environment) as server:
        assert manager.until("READY=1")[-1] == "READY=1"
        with ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(WebSocketPeer(server.socket_url())).arrived()
            manager.until("STATUS=2 of 2 workers, 5 connections")
            manager.until("WATCHDOG=1")
        os.kill(server.pid, signal.SIGHUP)
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=[0-9]+", manager.until("RELOADING=1")[-1])
        manager.until("READY=1")
        with WebSocketPeer(server.socket_url("/scream")) as peer:
            peer.say("hi")
            peer.hears("HI!!!")
            os.kill(server.pid, signal.SIGTERM)
            manager.until("STOPPING=1")
            assert peer.close_code() == 1012
        assert server._process is not None and server._process.wait(20) == 0
        server._process = None


# --- the end ---


def test_without_the_parent(tmp_path: Path, redis: str) -> None:
    """When the parent is killed its workers see their people out and go by themselves."""
    family = Family(tmp_path / "s", redis, 2, "--log-format=json")
    family.start()
    workers = family.workers
    with WebSocketPeer(family.socket_url()) as peer:
        peer.arrived()
        family.kill9()
        assert peer.close_code() == 1012
    eventually(lambda: not any(Path(f"/proc/{pid}/stat").exists() for pid in workers), "the end of the workers")


def test_twice_is_at_once(tmp_path: Path, redis: str) -> None:
    """A second signal does not wait for a worker that hangs."""
    family = Family(tmp_path / "s", redis, 2)
    family.start()
    workers = family.workers
    os.kill(workers[0], signal.SIGSTOP)
    os.kill(family.pid, signal.SIGTERM)
    eventually(lambda: len(family.workers) == 1, "the end of the one that can")
    os.kill(family.pid, signal.SIGINT)
    assert family._process is not None
    assert family._process.wait(5) == 0
    family._process = None


def test_in_the_background(tmp_path: Path, redis: str) -> None:
    """`twistd chat --workers 2` goes into the background: its lines are in the log file, the process in the pid
    file is the parent, and that file is gone when it has ended."""
    port = free_port()
    done = subprocess.run(
        [*twistd(), "chat", "--workers=2", f"--store={redis}", f"--listen=tcp:{port}:interface=127.0.0.1"],
        cwd=tmp_path,
        env=clean_environment({"CHAT_LINE": "none"}),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0 and f"kill $(cat {tmp_path / 'twistd.pid'})" in done.stderr, done.stderr
    log = tmp_path / "twistd.log"
    eventually(lambda: log.exists() and "workers_ready" in log.read_text(), "two workers")
    pid = int((tmp_path / "twistd.pid").read_text())
    assert b"chatservice.workers" in Path(f"/proc/{pid}/cmdline").read_bytes()
    with WebSocketPeer(f"ws://127.0.0.1:{port}/scream") as peer:
        peer.say("hi")
        peer.hears("HI!!!")
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not (tmp_path / "twistd.pid").exists(), "the end")
    assert "Traceback" not in log.read_text()

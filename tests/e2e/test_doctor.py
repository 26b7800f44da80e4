"""`chatservice doctor` before real proxies: each fault is made, seen, and named with the line that mends it."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from chatservice.cli import main
from chatservice.commands.doctor import advice
from chatservice.doctor.checks import Finding, examine, is_of_a_proxy
from chatservice.doctor.remedies import Fault
from chatservice.doctor.visit import Address
from e2e.fronts import DEPLOY, Front, fronted
from e2e.raw import connected, handshake
from e2e.server import Server, clean_environment, free_port
from e2e.test_accounts import chatservice

Change = Callable[[str], str]


@dataclass
class Behind:
    """Services for proxies that come and go at one port.

    :ivar plain: knows nothing of a proxy; `named` its public address alone; `knowing` also to believe it;
        `spoken_for` also expects the PROXY protocol.
    """

    port: int
    plain: Server
    named: Server
    knowing: Server
    spoken_for: Server


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """The services, for all tests here."""
    port = free_port()
    public = f"--public-url=https://localhost:{port}/"
    believing = (public, "--trusted-proxy=127.0.0.1", "--connections-per-address=1")
    with (
        Server(tmp_path_factory.mktemp("plain")) as plain,
        Server(tmp_path_factory.mktemp("named"), public) as named,
        Server(tmp_path_factory.mktemp("knowing"), *believing) as knowing,
        Server(tmp_path_factory.mktemp("spoken"), *believing[:2], "--proxy-protocol") as spoken_for,
    ):
        yield Behind(port, plain, named, knowing, spoken_for)


def without(*patterns: str) -> Change:
    """Settings without the lines in which one of these is found."""

    def change(settings: str) -> str:
        lines = settings.splitlines(keepends=True)
        for pattern in patterns:
            assert any(re.search(pattern, line) for line in lines), pattern
        return "".join(line for line in lines if not any(re.search(pattern, line) for pattern in patterns))

    return change


def instead(was: str, becomes: str) -> Change:
    """Settings in which this is said in another way."""

    def change(settings: str) -> str:
        changed = re.sub(was, becomes, settings)
        assert changed != settings, was
        return changed

    return change


def look(front: Front, *, idle_s: float = 0) -> list[Finding]:
    """What the doctor finds."""
    return list(examine(Address(front.url, front.context), idle_s=idle_s))


def faults(findings: list[Finding]) -> set[Fault]:
    """Those among them."""
    return {finding.fault for finding in findings if finding.fault is not None}


NO_UPGRADE = without("proxy_http_version", "header Upgrade", "header Connection")
NO_BUFFER = instead("proxy_buffering off;", "proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;")
EXPECTED: list[tuple[str, str, str, Change, Fault]] = [
    ("no upgrade", "nginx", "knowing", NO_UPGRADE, Fault.NO_UPGRADE),
    (
        "no upgrade",
        "haproxy",
        "spoken_for",
        instead("default_backend chat", "http-request del-header upgrade\n    default_backend chat"),
        Fault.NO_UPGRADE,
    ),
    ("buffering", "nginx", "knowing", NO_BUFFER, Fault.BUFFERING),
    ("impatience", "nginx", "knowing", instead("proxy_read_timeout 75s", "proxy_read_timeout 2s"), Fault.IDLE),
    ("impatience", "haproxy", "spoken_for", instead("timeout tunnel 1h", "timeout tunnel 2s"), Fault.IDLE),
    ("no trust", "nginx", "plain", without("X-Forwarded-For"), Fault.NULL_ORIGIN),
    ("no trust in what it says", "nginx", "named", lambda settings: settings, Fault.ONE_ADDRESS),
    ("no trust in what it says", "caddy", "named", lambda settings: settings, Fault.ONE_ADDRESS),
    ("another host", "nginx", "plain", instead(r"Host \$http_host", "Host chat.example.org"), Fault.HOST),
    ("the path", "nginx", "knowing", instead("location / {", "location /chat/ {"), Fault.PATH),
    ("no PROXY header", "haproxy", "spoken_for", instead(" send-proxy-v2", ""), Fault.BACKEND),
    (
        "one address for all",
        "nginx",
        "knowing",
        instead(r"\$proxy_add_x_forwarded_for", "203.0.113.7"),
        Fault.ONE_ADDRESS,
    ),
]


@pytest.mark.parametrize(
    ("kind", "which", "change", "fault"),
    [row[1:] for row in EXPECTED],
    ids=[f"{row[0]} ({row[1]})" for row in EXPECTED],
)
def test_a_fault_is_named(
    behind: Behind, tmp_path: Path, kind: str, which: str, change: Change, fault: Fault
) -> None:
    """One thing is wrong in the proxy's settings: that is what the doctor finds, and nothing else."""
    server: Server = getattr(behind, which)
    with ExitStack() as stack:
        front = Front(kind, tmp_path, server.web_port, change=change, port=behind.port)
        stack.enter_context(front)
        if fault is Fault.PATH:
            front.below = "/chat/"
        if fault is Fault.ONE_ADDRESS:  # somebody else is there already
            there = stack.enter_context(connected(server.web_port))
            there.sendall(handshake("/echo", X_Forwarded_For="203.0.113.7"))
            assert there.recv(1000).startswith(b"HTTP/1.1 101 ")
        found = faults(look(front, idle_s=4 if fault is Fault.IDLE else 0))
    assert found == {fault}


@pytest.mark.parametrize("kind", ["nginx", "haproxy"])
def test_two_nodes_that_take_turns(behind: Behind, tmp_path: Path, kind: str) -> None:
    """Where requests of one Socket.IO session go to two services in turn, that is found; with the line that the
    doctor names it is not."""
    two = {
        "nginx": (behind.plain, "proxy_pass http://[^;]*;", "proxy_pass http://both;"),
        "haproxy": (
            behind.plain,
            "( *)server here ([^\n]*) send-proxy-v2[^\n]*",
            r"\1server here \2\n\1server there \2",
        ),
    }
    other, was, becomes = two[kind]
    mended = {"nginx": "ip_hash;", "haproxy": "balance source"}

    def twice(settings: str, line: str) -> str:
        settings = instead(was, becomes)(settings)
        if kind == "nginx":
            ports = f"server 127.0.0.1:{other.web_port}; server 127.0.0.1:{behind.knowing.web_port};"
            return f"upstream both {{ {line} {ports} }}\n{settings}"
        settings = settings.replace(
            f"server there 127.0.0.1:{other.web_port}", f"server there 127.0.0.1:{behind.knowing.web_port}"
        )
        return settings.replace("    timeout tunnel", f"    {line}\n    timeout tunnel")

    for line, expected in (("", True), (mended[kind], False)):
        change = lambda settings, line=line: twice(settings, line)  # noqa: E731
        with Front(kind, tmp_path / str(expected), other.web_port, change=change, port=behind.port) as front:
            found = faults(look(front))
        assert (Fault.STICKINESS in found) is expected
        assert not line or line in (Fault.STICKINESS.value.nginx + Fault.STICKINESS.value.haproxy)


def test_the_page_is_there_but_may_not_connect(tmp_path: Path) -> None:
    """A proxy that does not pass the host on, before a service that does not know its public address."""
    with Server(tmp_path, "--trusted-proxy=127.0.0.1") as server:
        change = without("header Host")
        with Front("nginx", tmp_path / "front", server.web_port, change=change) as front:
            assert faults(look(front)) == {Fault.ORIGIN}


def test_a_certificate_nobody_trusts(behind: Behind, tmp_path: Path) -> None:
    """Of a certificate that browsers do not know the doctor says so, and looks at all else none the less."""
    with Front("nginx", tmp_path, behind.knowing.web_port, port=behind.port) as front:
        findings = list(examine(Address(front.url, ssl.create_default_context()), idle_s=0))
    assert faults(findings) == {Fault.CERTIFICATE} and len(findings) > 5
    assert "self-signed" in findings[0].seen


def test_a_certificate_that_ends_soon(behind: Behind, tmp_path: Path) -> None:
    """Two weeks before its end it is time to see why nobody has renewed it."""
    with Front("nginx", tmp_path, behind.knowing.web_port, port=behind.port, days=10) as front:
        assert faults(look(front)) == {Fault.CERTIFICATE}


def test_nobody_there(tmp_path: Path) -> None:
    """Where nothing listens, and where the service is down, that is the one thing that is said."""
    port = free_port()
    nobody = Address(f"https://localhost:{port}/", ssl.create_default_context())
    assert faults(list(examine(nobody, idle_s=0))) == {Fault.UNREACHABLE}
    mistyped = Address("chat.invalid", ssl.create_default_context())  # RFC 6761, section 6.4: nobody has that name
    assert faults(list(examine(mistyped, idle_s=0))) == {Fault.NO_SUCH_NAME}
    with Front("caddy", tmp_path, free_port()) as front:
        assert faults(look(front)) == {Fault.BACKEND}


@pytest.mark.parametrize(("kind", "below"), [("nginx", "/chat/"), ("caddy", "/"), ("haproxy", "/chat/")])
def test_nothing_is_wrong_with_our_own_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, below: str
) -> None:
    """The settings of deploy/ are without fault, and the status says so; the doctor leaves no trace in a room."""
    with fronted(kind, tmp_path, below=below) as place:
        assert main(["doctor", place.front.url, "--quick", f"--ca={place.front.certificate}"]) == 0
        told = capsys.readouterr().out
        assert "FAULT" not in told and len(told.splitlines()) == 9
        with urlopen(f"{place.front.url}api/rooms/doctor/events", context=place.front.context) as answer:
            assert json.load(answer)["seq"] == 0


def test_what_the_operator_reads(behind: Behind, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each fault once, with what it means and the lines for each proxy, or for the one that is asked for."""
    with Front("nginx", tmp_path, behind.knowing.web_port, change=NO_UPGRADE, port=behind.port) as front:
        command = ["doctor", front.url, "--quick", f"--ca={front.certificate}"]
        assert main(command) == 1
        everything = capsys.readouterr().out
        assert main([*command, "--proxy=nginx"]) == 1
        only = capsys.readouterr().out
    assert everything.count("\nno-upgrade: ") == 1
    for name in ("nginx", "caddy", "haproxy"):
        assert (f"\n  {name} " in everything) and (f"\n  {name} " in only) is (name == "nginx")
    assert "proxy_http_version 1.1;" in only


def test_where_guests_are_not_let_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a token that is no fault, and said; with one, which no proxy logs, everything is looked at."""
    with fronted("nginx", tmp_path, "--no-guests") as place:
        command = ["doctor", place.front.url, "--quick", f"--ca={place.front.certificate}"]
        assert main(command) == 0
        assert "guests are not let in" in capsys.readouterr().out
        assert chatservice(tmp_path, "user", "add", "Ann", typed="a long password\n").returncode == 0
        login = json.dumps({"name": "Ann", "password": "a long password"}).encode()
        request = Request(f"{place.front.url}v1/login", login, {"Content-Type": "application/json"})
        with urlopen(request, context=place.front.context) as answer:
            token = json.load(answer)["token"]
        (tmp_path / "token").write_text(token + "\n")
        assert main([*command, f"--token-file={tmp_path / 'token'}"]) == 0
        told = capsys.readouterr().out
        assert "guests are not let in" not in told and told.count(" open") == 3


@pytest.mark.parametrize(
    ("seen", "headers", "own", "is_proxys"),
    [
        ("203.0.113.9", ["X-Forwarded-For"], ("10.0.0.9", 5000), False),
        ("[2001:db8::9]", ["x-forwarded-for"], ("2001:db8::9", 5000), False),
        ("127.0.0.1:40000", ["X-Forwarded-For"], ("127.0.0.1", 5000), True),
        ("198.51.100.7:40000", ["CF-Ray", "x-forwarded-for"], ("10.0.0.9", 5000), True),
        ("[2001:db8::1]:40000", ["X-Forwarded-For"], ("2001:db8::9", 5000), True),
        ("127.0.0.1:40000", [], ("203.0.113.9", 5000), True),
        ("[::1]:40000", [], ("fe80::1%eth0", 5000), True),
        ("local", [], ("127.0.0.1", 5000), True),
        ("127.0.0.1:5000", [], ("127.0.0.1", 5000), False),
        ("203.0.113.9:5000", ["X-Forwarded-For"], ("203.0.113.9", 5000), False),
        ("203.0.113.9:40000", [], ("10.0.0.9", 5000), False),
        ("127.0.0.1:40000", [], ("127.0.0.1", 5000), False),
        ("what is this:80", [], ("127.0.0.1", 5000), False),
    ],
)
def test_whose_address_it_is(seen: str, headers: list[str], own: tuple[str, int], is_proxys: bool) -> None:
    """A proxy that is not believed shows by the port that the service tells beside its header, or by this
    computer's address for somebody who came from elsewhere; NAT and the PROXY protocol are no fault."""
    assert is_of_a_proxy(seen, headers, own) is is_proxys


def test_a_socket_that_nobody_trusts(tmp_path: Path) -> None:
    """Behind a UNIX socket of which the service was not told everybody is the same one, and that is found; with
    `--trusted-proxy unix` nothing is."""
    port = free_port()
    for options, expected in (((), {Fault.ONE_ADDRESS}), (("--trusted-proxy=unix",), set())):
        directory = tmp_path / str(len(options))
        path = directory / "web.sock"
        listen = (f"--listen=unix:{path}", f"--public-url=https://localhost:{port}/")
        with Server(directory, *listen, *options) as server:
            change = instead("http://127.0.0.1:[0-9]+", f"http://unix:{path}")
            with Front("nginx", directory / "front", server.web_port, change=change, port=port) as front:
                assert faults(look(front)) == expected


@pytest.mark.parametrize("url", ["", "chat://x/", "https://", "https://[::1/", "https://x:99999/"])
def test_no_address(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no address is one line."""
    assert main(["doctor", url, "--quick"]) == 1
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 1 and not told.out


def test_the_command_is_there(tmp_path: Path) -> None:
    """As the operator types it."""
    command = [sys.executable, "-m", "chatservice.cli", "doctor", f"http://127.0.0.1:{free_port()}/"]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "unreachable: nobody answers there" in done.stdout


@pytest.mark.parametrize("fault", list(Fault), ids=[fault.value.name for fault in Fault])
def test_the_remedies_are_those_of_the_pages(fault: Fault) -> None:
    """Every fault says what people notice, and what nginx and HAProxy are to be told stands in deploy/ as well."""
    remedy = fault.value
    text = advice(fault, "https://chat.example.org/", None)
    assert text.startswith(f"\n{remedy.name}: {remedy.means}\n") and "{url}" not in text
    settings = (DEPLOY / "nginx.conf").read_text() + (DEPLOY / "haproxy.cfg").read_text()
    for line in (remedy.nginx, remedy.haproxy):
        for part in re.findall(r"(proxy_\w+ [^;…]*;|timeout tunnel \w+|balance source)", line):
            assert part in settings, part

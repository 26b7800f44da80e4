"""The examination: every dialect once, through the public address."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

from chatservice.doctor.remedies import Fault
from chatservice.doctor.visit import PATIENCE_S, Address, Closed, WebSocket

ROOM = "doctor"
"""Where it is for the short while; nothing is said there, so the room leaves no trace."""

STREAM_S = 3.0
"""A stream begins with how the room stands; whoever has not got that after so long does not get it at once."""

POLLS = 6
"""With two nodes taking turns the second is the wrong one's already; with a random choice one in 64 is missed."""

DAYS_LEFT = 14

WEBSOCKETS = (("text", "?room=doctor"), ("simple", "?room=doctor"), ("chat.v1", ""))


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check.

    :ivar about: what was looked at.
    :ivar fault: what is wrong; None if nothing is.
    :ivar seen: how it shows, or that it is good, in a few words of ours.
    """

    about: str
    fault: Fault | None
    seen: str


def examine(address: Address, *, idle_s: float | None = None, token: str = "") -> Iterator[Finding]:
    """One finding after the other, as they come.

    :param idle_s: how long to be quiet; None is a little longer than the service's ping; 0 leaves it out.
    :param token: proves who asks, where guests are not let in.
    """
    findings = list(_reach(address))
    yield from findings
    if any(finding.fault in (Fault.UNREACHABLE, Fault.NO_SUCH_NAME) for finding in findings):
        return
    if any(finding.fault is Fault.CERTIFICATE for finding in findings):
        address.context.check_hostname = False
        address.context.verify_mode = ssl.CERT_NONE  # whoever mends that wants to know the rest
    page = _safely("page", lambda: _page(address))
    yield page
    if page.fault in (Fault.BACKEND, Fault.PATH, Fault.HOST):
        return
    is_open = True
    for name, query in WEBSOCKETS:
        finding = _safely(f"WebSocket, {name}", partial(_websocket, address, name, query, token))
        yield finding
        is_open = is_open and finding.fault is None
    if is_open:
        yield _safely("Origin null", lambda: _null_origin(address))
        yield _safely("our address", lambda: _whose(address, token))
    yield _safely("Socket.IO, polling", lambda: _polling(address))
    yield _safely("events, stream", lambda: _stream(address, token))
    if is_open and idle_s != 0:
        yield _safely("silence", lambda: _silence(address, idle_s, token))


def _safely(about: str, check: Callable[[], tuple[Fault | None, str]]) -> Finding:
    try:
        return Finding(about, *check())
    except Closed as closed:
        return Finding(about, Fault.BROKEN, f"it was closed ({closed.code or 'without a word'})")
    except OSError as error:
        return Finding(about, Fault.BROKEN, f"no answer: {error}")


def _reach(address: Address) -> Iterator[Finding]:
    try:
        with address.connect() as there:
            if not isinstance(there, ssl.SSLSocket):
                yield Finding("connection", None, "without TLS: only good where nobody can listen")
                return
            until = str((there.getpeercert() or {}).get("notAfter", ""))
            days = int((ssl.cert_time_to_seconds(until) - time.time()) / 86_400) if until else 0
            seen = f"{there.version()}, certificate good for {days} more days"
            yield Finding("connection", None if days >= DAYS_LEFT else Fault.CERTIFICATE, seen)
    except ssl.SSLCertVerificationError as error:
        yield Finding("connection", Fault.CERTIFICATE, error.verify_message)
    except OSError as error:
        is_unknown = isinstance(error, socket.gaierror)
        yield Finding("connection", Fault.NO_SUCH_NAME if is_unknown else Fault.UNREACHABLE, str(error))


def _wrong(status: int) -> Fault | None:
    """What an answer of the proxy itself, or of the service's door, tells in any case."""
    return {403: Fault.ORIGIN, 421: Fault.HOST, 429: Fault.ONE_ADDRESS}.get(
        status, Fault.BACKEND if status in (502, 503, 504) else None
    )


def _page(address: Address) -> tuple[Fault | None, str]:
    answer = address.ask("lite")
    seen = f"{answer.status}"
    if fault := _wrong(answer.status):
        return fault, seen
    if answer.status == 200 and b"<html" in answer.body[:2000].lower():
        return None, seen
    return Fault.PATH if answer.status == 404 else Fault.BROKEN, seen


def _websocket(address: Address, name: str, query: str, token: str) -> tuple[Fault | None, str]:
    path = {"simple": "", "chat.v1": "v1"}.get(name, name)
    with WebSocket(address, path + query, origin=address.origin, token=token) as chat:
        if chat.status == 401:
            return None, "guests are not let in; --token-file says who you are"
        if chat.status != 101:
            return _wrong(chat.status) or Fault.NO_UPGRADE, f"{chat.status} instead of 101"
        if name != "chat.v1":
            heard = chat.hear()
            return (None, "open") if heard is not None else (Fault.BROKEN, "open, but nothing comes")
        told = _hello(chat, token)
        return (None, "open, hello answered") if told else (Fault.BROKEN, "open, but hello is not answered")


def _hello(chat: WebSocket, token: str) -> dict[str, object] | None:
    """What hello was answered, if it was; a refusal is an answer too."""
    hello: dict[str, object] = {"type": "hello", "id": 1, "v": 1, "nick": f"doctor-{secrets.token_hex(3)}"}
    chat.say(json.dumps({**hello, **({"token": token} if token else {})}))
    until = time.monotonic() + PATIENCE_S
    while (left := until - time.monotonic()) > 0 and (heard := chat.hear(left)) is not None:
        with suppress(ValueError):
            told = json.loads(heard)
            if isinstance(told, dict) and told.get("id") == 1:
                return told
    return None


def _null_origin(address: Address) -> tuple[Fault | None, str]:
    is_local = address.host in ("localhost", "::1") or address.host.startswith("127.")
    if is_local and not address.is_tls:  # no proxy: what is on this computer may be a tutorial's page in a file
        return None, "not asked: this is this computer"
    with WebSocket(address, "echo", origin="null") as chat:
        return (Fault.NULL_ORIGIN, "let in") if chat.status == 101 else (None, f"refused ({chat.status})")


def _whose(address: Address, token: str) -> tuple[Fault | None, str]:
    """`/wire` tells whoever opens it what the service saw of that connection, and nobody else."""
    with WebSocket(address, "wire", origin=address.origin, token=token) as wire:
        if wire.status != 101:
            return _wrong(wire.status), f"not asked: {wire.status}"
        told = _opened(wire) or {}
        seen, hidden = told.get("address"), told.get("hidden")
        if not isinstance(seen, str) or not isinstance(hidden, list):
            return Fault.BROKEN, "open, but it is not told"
        if is_of_a_proxy(seen, [str(name) for name in hidden], wire.own):
            return Fault.ONE_ADDRESS, f"everybody is taken for {seen}: trusted-proxy has not got that address"
        return None, f"taken for {seen}"


def _opened(wire: WebSocket) -> dict[str, object] | None:
    until = time.monotonic() + PATIENCE_S
    while (left := until - time.monotonic()) > 0 and (heard := wire.hear(left)) is not None:
        with suppress(ValueError):
            told = json.loads(heard)
            if isinstance(told, dict) and told.get("type") == "opened":
                return told
    return None


def is_of_a_proxy(seen: str, headers: Collection[str], own: tuple[str, int]) -> bool:
    """Whether the service takes us for a proxy on the way.

    :param seen: our address, as the service tells it: without a port if a proxy's word for it was believed.
    :param headers: the names of headers that have reached the service and are not ours.
    :param own: our end of the connection; behind NAT another than the proxy sees.
    """
    host, colon, port = seen.rpartition(":")
    if seen == "local":  # a UNIX socket; we came over TCP
        return True
    if not colon or not port.isdigit():
        return False
    if int(port) == own[1]:  # it is we: nobody is in between, or one who speaks the PROXY protocol
        return False
    if any(name.lower() == "x-forwarded-for" for name in headers):
        return True
    return _is_loopback(host) and not _is_loopback(own[0])


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host.strip("[]").partition("%")[0]).is_loopback
    return False


def _polling(address: Address) -> tuple[Fault | None, str]:
    root = "socket.io/?EIO=4&transport=polling"
    opened = address.ask(root, headers={"Origin": address.origin})
    if opened.status != 200 or not opened.body.startswith(b"0{"):
        return _wrong(opened.status) or Fault.BROKEN, f"{opened.status} instead of a session"
    mine = f"{root}&sid={json.loads(opened.body[1:])['sid']}"
    answer = address.ask(mine, body=b"40", headers={"Content-Type": "text/plain;charset=UTF-8"})
    for _ in range(POLLS):
        if answer.status == 400 and b"unknown" in answer.body.lower():
            return Fault.STICKINESS, "the session is unknown to whoever answered next"
        if answer.status != 200:
            return _wrong(answer.status) or Fault.BROKEN, f"{answer.status} within a session"
        # Volatile and harmless: an answer to a ping that was not asked.
        answer = address.ask(mine, body=b"3", headers={"Content-Type": "text/plain;charset=UTF-8"})
    address.ask(mine, body=b"1")
    return None, f"one session over {POLLS + 2} connections"


def _stream(address: Address, token: str) -> tuple[Fault | None, str]:
    headers = {"Accept": "text/event-stream", **({"Authorization": f"Bearer {token}"} if token else {})}
    begun = time.monotonic()
    try:
        with address.begin(f"api/rooms/{ROOM}/events", headers=headers, patience_s=STREAM_S) as answer:
            if answer.status == 401:
                return None, "guests are not let in; --token-file says who you are"
            if answer.status != 200:
                return _wrong(answer.status) or Fault.BROKEN, f"{answer.status}"
            if b"data:" in answer.some():
                return None, f"begins after {time.monotonic() - begun:.1f} s"
            return Fault.BUFFERING, "it begins with nothing"
    except TimeoutError:
        return Fault.BUFFERING, f"nothing for {STREAM_S:.0f} s"


def _silence(address: Address, idle_s: float | None, token: str) -> tuple[Fault | None, str]:
    with WebSocket(address, "v1", origin=address.origin, token=token) as chat:
        if chat.status != 101:
            return _wrong(chat.status) or Fault.NO_UPGRADE, f"{chat.status} instead of 101"
        told = _hello(chat, token) or {}
        ping_ms = told.get("ping_ms")
        every_s = ping_ms / 1000 if isinstance(ping_ms, int) else 25.0
        begun = time.monotonic()
        until = begun + (every_s + 5 if idle_s is None else idle_s)
        try:
            while (left := until - time.monotonic()) > 0:
                heard = chat.hear(left)
                if heard is not None and '"ping"' in heard:
                    return None, f"still there at the ping after {time.monotonic() - begun:.0f} s"
        except Closed as closed:
            took_s = time.monotonic() - begun
            return Fault.IDLE, f"cut off after {took_s:.0f} s ({closed.code or 'without a word'})"
    return None, f"still there after {time.monotonic() - begun:.0f} s"

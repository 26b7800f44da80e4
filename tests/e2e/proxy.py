"""A reverse proxy that serves a chat below a path and strips that path, as nginx and Caddy are told to."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

PATIENCE_S = 20.0


@contextmanager
def below(path: str, port: int) -> Iterator[str]:
    """Serve what is at `port` below `path`, such as `/chat/`; gives the address. All else is 404."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, path, port), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{path}"
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, path: str, port: int) -> None:
    while True:
        try:
            browser, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(browser, path, port), daemon=True).start()


def _serve(browser: socket.socket, path: str, port: int) -> None:
    """One request a connection, so that one head is all there is to change."""
    with closing(browser), suppress(OSError):
        browser.settimeout(PATIENCE_S)
        head = b""
        while b"\r\n\r\n" not in head:
            data = browser.recv(65_536)
            if not data:
                return
            head += data
        line, _, rest = head.decode("latin-1").partition("\r\n")
        method, _, target = line.partition(" ")
        if not target.startswith(path):
            browser.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if not re.search(r"^upgrade:", rest, re.M | re.I):
            rest = "Connection: close\r\n" + re.sub(r"^connection:.*\r\n", "", rest, flags=re.M | re.I)
        with socket.create_connection(("127.0.0.1", port)) as service:
            service.sendall(f"{method} /{target.removeprefix(path)}\r\n{rest}".encode("latin-1"))
            threading.Thread(target=_pump, args=(browser, service), daemon=True).start()
            _pump(service, browser)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

"""The real proxies, with the settings of deploy/ or with what a test makes of them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from e2e.server import CHECKOUT, PATIENCE_S, Server, eventually, free_port
from e2e.test_operating import make_certificate

DEPLOY = CHECKOUT / "deploy"
NAME = "localhost"

Change = Callable[[str], str]


def found(program: str) -> str:
    """Where it is."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    assert path, f"{program} is missing; tests/install-tools tells what is needed"
    return path


def as_it_is(settings: str) -> str:
    """No change."""
    return settings


class Front:
    """A proxy with TLS before a service.

    :param kind: `nginx`, `caddy` or `haproxy`.
    :param below: the path under which the chat is to be, such as `/chat/`.
    :param days: how long its certificate is good.
    :param change: what a test does to the settings, which are otherwise those of deploy/.
    """

    options: dict[str, tuple[str, ...]] = {
        "nginx": ("--trusted-proxy=127.0.0.1",),
        "caddy": ("--trusted-proxy=127.0.0.1",),
        "haproxy": ("--trusted-proxy=127.0.0.1", "--proxy-protocol"),
    }

    def __init__(
        self,
        kind: str,
        directory: Path,
        web_port: int,
        line_port: int = 0,
        *,
        below: str = "/",
        change: Change = as_it_is,
        port: int | None = None,
        days: int = 90,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.kind, self.directory, self.below = kind, directory, below
        self.port, self.line_port = port or free_port(), free_port()
        self._to = web_port, line_port
        self._change = change
        self._process: subprocess.Popen[bytes] | None = None
        self.certificate = directory / "front.crt"
        make_certificate(directory / "front.key", self.certificate, NAME, days)

    @property
    def url(self) -> str:
        """Where people find the page."""
        return f"https://{NAME}:{self.port}{self.below}"

    @property
    def context(self) -> ssl.SSLContext:
        """Trusts it."""
        return ssl.create_default_context(cafile=str(self.certificate))

    @property
    def log(self) -> str:
        """What it says about itself."""
        return (self.directory / "log").read_text()

    def connected(self, source: str = "127.0.0.1") -> ssl.SSLSocket:
        """A connection, TLS done."""
        bare = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S, source_address=(source, 0))
        return self.context.wrap_socket(bare, server_hostname=NAME)

    def __enter__(self) -> Self:
        command = getattr(self, f"_{self.kind}")()
        with (self.directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory)},
            )
        try:
            eventually(self._listens, f"{self.kind} at port {self.port}: {self.log}")
        except AssertionError as error:
            self.__exit__()
            raise AssertionError(f"{error}\n{self.log}") from error
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        # nginx's worker is a process of its own, and ends at once with the first; the others wait for connections.
        self._process.send_signal(signal.SIGTERM if self.kind == "nginx" else signal.SIGKILL)
        self._process.wait(PATIENCE_S)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _settings(self, name: str, *replaced: tuple[str, str]) -> str:
        settings = (DEPLOY / name).read_text()
        for was, becomes in replaced:
            assert was in settings, f"{name} has no {was} any more"
            settings = settings.replace(was, becomes)
        return self._change(settings)

    def _nginx(self) -> list[str]:
        web, _ = self._to
        settings = self._settings(
            "nginx.conf",
            ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("server_name chat.example.org", f"server_name {NAME}"),
            ("/etc/ssl/certs/chat.example.org.pem", str(self.certificate)),
            ("/etc/ssl/private/chat.example.org.key", str(self.directory / "front.key")),
            *(
                (
                    ("location / {", f"location {self.below} {{"),
                    ("http://127.0.0.1:8080;", "http://127.0.0.1:8080/;"),
                )
                if self.below != "/"
                else ()
            ),
            ("http://127.0.0.1:8080", f"http://127.0.0.1:{web}"),
        )
        temporary = "".join(
            f"{kind}_temp_path {self.directory}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.getuid() == 0 else ""
        (self.directory / "nginx.conf").write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {self.directory}/pid;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}{settings}\n}}\n"
        )
        return [found("nginx"), "-c", str(self.directory / "nginx.conf"), "-e", "stderr"]

    def _caddy(self) -> list[str]:
        web, _ = self._to
        settings = self._settings(
            "Caddyfile",
            (
                "\nchat.example.org {\n",
                f"\nhttps://{NAME}:{self.port} {{\n\tbind 127.0.0.1\n"
                f"\ttls {self.certificate} {self.directory}/front.key\n",
            ),
            ("reverse_proxy 127.0.0.1:8080", f"reverse_proxy 127.0.0.1:{web}"),
        )
        if self.below != "/":
            head, brace, rest = settings.partition("\treverse_proxy ")
            settings = f"{head}\thandle_path {self.below}* {{\n{brace}{rest}}}\n"
        (self.directory / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n" + settings)
        return [found("caddy"), "run", "--config", str(self.directory / "Caddyfile"), "--adapter", "caddyfile"]

    def _haproxy(self) -> list[str]:
        web, line = self._to
        both = self.directory / "both.pem"
        both.write_bytes(self.certificate.read_bytes() + (self.directory / "front.key").read_bytes())
        settings = self._settings(
            "haproxy.cfg",
            ("bind :443 ssl crt /etc/haproxy/chat.example.org.pem", f"bind 127.0.0.1:{self.port} ssl crt {both}"),
            ("bind :9001", f"bind 127.0.0.1:{self.line_port}"),
            ("127.0.0.1:8080", f"127.0.0.1:{web}"),
            ("127.0.0.1:9000", f"127.0.0.1:{line}"),
            *(
                (("# http-request replace-path /chat/(.*)", f"http-request replace-path {self.below}(.*)"),)
                if self.below != "/"
                else ()
            ),
        )
        (self.directory / "haproxy.cfg").write_text(f"global\n    maxconn 1000\n{settings}")
        return [found("haproxy"), "-db", "-f", str(self.directory / "haproxy.cfg")]


def fronted(kind: str, directory: Path, *options: str, below: str = "/", change: Change = as_it_is) -> Fronted:
    """A service that knows its proxy, and the proxy; both are started by `with`."""
    return Fronted(kind, directory, options, below, change)


class Fronted:
    """A service behind a proxy."""

    def __init__(self, kind: str, directory: Path, options: tuple[str, ...], below: str, change: Change) -> None:
        port = free_port()
        public = f"--public-url=https://{NAME}:{port}{below}"
        self.server = Server(directory, *Front.options[kind], public, *options)
        self.front = Front(
            kind,
            directory / kind,
            self.server.web_port,
            self.server.line_port,
            below=below,
            change=change,
            port=port,
        )

    def __enter__(self) -> Self:
        self.server.__enter__()
        try:
            self.front.__enter__()
        except BaseException:
            self.server.kill9()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.front.__exit__()
        self.server.__exit__()

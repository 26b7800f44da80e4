"""Accounts on a real server: the operator's command, signing in, and that no secret ever stands in a log."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from chatservice.logs.sqlite import open_database
from e2e.conftest import Serve
from e2e.server import CHECKOUT, PATIENCE_S, Server, clean_environment
from e2e.test_http_page import run_page
from examples import examples, matches

PAGE = CHECKOUT / "docs" / "identity.md"


def chatservice(directory: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command there."""
    return subprocess.run(
        [sys.executable, "-m", "chatservice.cli", *arguments],
        cwd=directory,
        env=clean_environment(),
        input=typed,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def run_shell(directory: Path) -> int:
    """Run the page's commands in order; how many there were."""
    number = 0
    command = f"{sys.executable} -m chatservice.cli"
    for _, example in examples(PAGE, "sh"):
        for step in example.removeprefix("$ ").split("\n$ "):
            line, _, expected = step.partition("\n")
            done = subprocess.run(
                ["bash", "-c", line.replace("chatservice user", f"{command} user")],
                cwd=directory,
                env=clean_environment(),
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
            )
            got = (done.stdout + done.stderr).strip()
            assert matches(expected.strip(), got, {}), f"{line}\nexpected {expected}\n     got {got}"
            number += 1
    return number


def begin(directory: Path) -> None:
    """A chat is there that has not run yet: else the first command says that one begins."""
    (directory / "chat-data").mkdir(mode=0o700)
    open_database(directory / "chat-data" / "chat.db").close()


@pytest.mark.slow
def test_the_page_while_nothing_runs(tmp_path: Path) -> None:
    """docs/identity.md's commands work on the data directory alone; what they made, nobody else can read."""
    begin(tmp_path)
    assert run_shell(tmp_path) > 5
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "chat-data").iterdir()}
    assert modes["chat.db"] == 0o600 and stat.S_IMODE((tmp_path / "chat-data").stat().st_mode) == 0o700


def test_the_page_while_it_runs(serve: Serve) -> None:
    """They do the same while the chat runs, and then the page's requests are answered as it says."""
    server = serve()
    assert run_shell(server.directory) > 5
    assert run_page(PAGE, server, {}) > 5


def test_the_socket_is_ours_alone(serve: Serve) -> None:
    """Nobody else can open it; nonsense is answered and breaks nothing; a crash does not leave it in the way."""
    server = serve()
    path = server.data / "control.sock"
    assert stat.S_ISSOCK(path.stat().st_mode) and stat.S_IMODE(path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(PATIENCE_S)
        control.connect(os.path.relpath(path))
        for line in (b"nonsense", b"[]", b'{"command":"fly"}', b"\xff\xff"):
            control.sendall(line + b"\n")
            assert json.loads(control.recv(4096))["ok"] is False
    server.kill9()
    assert chatservice(server.directory, "user", "list").returncode == 0, "the socket is still there, and dead"
    server.start()
    assert chatservice(server.directory, "user", "list").stdout == ""


def test_what_the_command_refuses(tmp_path: Path) -> None:
    """Each refusal is one line and a status; a password is no argument."""
    begin(tmp_path)
    assert chatservice(tmp_path, "user", "add", "Ann", "secret").returncode == 2
    assert chatservice(tmp_path, "user", "add", "Ann", "--role", "king").returncode == 2
    assert chatservice(tmp_path, "user").returncode == 2
    for arguments, typed in (
        (["add", "Ann"], "short\n"),
        (["role", "Ann", "mod"], ""),
        (["passwd", "Ann"], "x" * 9),
    ):
        done = chatservice(tmp_path, "user", *arguments, typed=typed)
        assert done.returncode == 1 and done.stderr.count("\n") == 1 and done.stderr.startswith("chatservice: ")


def hello(server: Server, **members: object) -> dict[str, object]:
    """What a hello is answered."""
    with connect(server.socket_url("/v1"), proxy=None) as connection:
        connection.send(json.dumps({"type": "hello", "id": 1, **members}))
        reply: dict[str, object] = json.loads(connection.recv(PATIENCE_S))
    return reply


def post(server: Server, path: str, fields: dict[str, object], token: str = "") -> dict[str, object]:
    """What a POST is answered."""
    command = ["curl", "-s", "-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {token}"]
    command += ["-d", json.dumps(fields), f"http://127.0.0.1:{server.web_port}{path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_no_secret_in_a_log(serve: Serve, tmp_path: Path) -> None:
    """Tokens and passwords by every way there is, good and bad, and then the whole log is searched for them."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"site-secret-" * 4)
    server = serve("--site-key", f"HS256:{secret}")
    passwords = ["correct horse", "battery staple", "wrong password"]
    assert chatservice(server.directory, "user", "add", "Ann", typed=passwords[0]).returncode == 0
    token = str(post(server, "/v1/login", {"name": "Ann", "password": passwords[0]})["token"])
    assert post(server, "/v1/login", {"name": "Ann", "password": passwords[2]})["code"] == "unauthorized"
    site = jwt.encode({"sub": "7", "aud": "chatservice", "exp": 2_000_000_000}, secret.read_bytes(), "HS256")
    soon = jwt.encode(
        {"sub": "7", "aud": "chatservice", "exp": int(time.time()) + 600, "name": "Sue"},
        secret.read_bytes(),
        "HS256",
    )
    assert hello(server, token=soon)["user"]["nick"] == "Sue"  # type: ignore[index]
    assert hello(server, token=site)["code"] == "unauthorized", "too long"
    assert hello(server, token=token)["user"]["nick"] == "Ann"  # type: ignore[index]
    guest = str(hello(server, nick="Bob")["guest_token"])
    forged = "a_" + "Zm9yZ2Vk" * 6
    assert hello(server, token=forged)["code"] == "unauthorized"
    for used in (token, forged, soon, guest):
        ways = [
            ("/text", {"additional_headers": {"Authorization": f"Bearer {used}"}}),
            ("/text", {"additional_headers": {"Cookie": f"chat={used}"}}),
            ("/", {"subprotocols": [Subprotocol("chat"), Subprotocol(f"bearer.{used}")]}),
            (f"/text?token={used}", {}),
            (f"/nowhere?token={used}", {}),
        ]
        for path, how in ways:
            try:
                with connect(server.socket_url(path), proxy=None, **how) as connection:  # type: ignore[arg-type]
                    connection.send("hello")
                    connection.recv(PATIENCE_S)
            except InvalidStatus as refused:
                assert refused.response.status_code in (401, 404)
        post(server, f"/api/rooms/lobby/messages?token={used}", {"text": "hi"}, used)
    with socket.create_connection(("127.0.0.1", server.line_port), PATIENCE_S) as line:
        line.sendall(f"/login Ann {passwords[2].replace(' ', '-')}\n/login Ann correct horse\nbye\n".encode())
        while line.recv(4096):
            pass
    changed = post(server, "/v1/password", {"password": passwords[0], "new": passwords[1]}, token)
    newer = str(changed["token"])
    assert hello(server, token=token)["code"] == "unauthorized" and hello(server, token=newer)["type"] == "ok"
    server.stop()
    written = server.log + server.banner
    assert len(written) > 500
    for secret_word in (token, newer, site, soon, guest, forged, *passwords, "wrong-password", secret.read_text()):
        assert secret_word not in written
        assert secret_word[10:30] not in written or len(secret_word) < 30


def test_signing_out_ends_what_is_open(serve: Serve) -> None:
    """Whoever is connected is ended with 4005 within a second, wherever the word came from."""
    server = serve()
    chatservice(server.directory, "user", "add", "Ann", typed="correct horse")
    token = str(post(server, "/v1/login", {"name": "Ann", "password": "correct horse"})["token"])
    with connect(server.socket_url("/v1"), proxy=None) as connection:
        connection.send(json.dumps({"type": "hello", "id": 1, "token": token}))
        connection.recv(PATIENCE_S)
        assert chatservice(server.directory, "user", "passwd", "Ann", typed="battery staple").returncode == 0
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(PATIENCE_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4005
    assert hello(server, token=token)["code"] == "unauthorized"


def test_without_guests(serve: Serve) -> None:
    """`--no-guests`: nobody is let in without an account, by any door; accounts are."""
    server = serve("--no-guests")
    chatservice(server.directory, "user", "add", "Ann", typed="correct horse")
    assert hello(server, nick="Bob")["code"] == "unauthorized"
    with pytest.raises(InvalidStatus):
        connect(server.socket_url("/text"), proxy=None)
    assert post(server, "/api/rooms/lobby/messages", {"text": "hi"})["code"] == "unauthorized"
    token = str(post(server, "/v1/login", {"name": "Ann", "password": "correct horse"})["token"])
    assert post(server, "/api/rooms/lobby/messages", {"text": "hi"}, token)["seq"] == 1

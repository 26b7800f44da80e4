"""What an operator sees of a running service: log, health, metrics; and SIGHUP taking other settings."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from chatservice.logs.archive import Numbers
from chatservice.metrics import ArchiveCollector
from e2e.conftest import Serve
from e2e.server import CHECKOUT, PATIENCE_S, clean_environment, eventually, free_port


class Foreground:
    """`chatservice run` as a process; its stderr is in a file."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.web_port, self.metrics_port = directory, free_port(), free_port()
        self.line_port = free_port()
        self._err = directory / "err.txt"
        command = [
            sys.executable,
            "-m",
            "chatservice.cli",
            "run",
            f"--listen=tcp:{self.web_port}:interface=127.0.0.1",
        ]
        command += [f"--line=tcp:{self.line_port}:interface=127.0.0.1"]
        command += [f"--metrics-listen=tcp:{self.metrics_port}:interface=127.0.0.1", *options]
        with self._err.open("wb") as err:
            self.process = subprocess.Popen(command, cwd=directory, env=clean_environment(), stderr=err)

    def __enter__(self) -> Foreground:
        eventually(lambda: "chatservice 0" in self.log or self.process.poll() is not None, "the start")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)

    @property
    def log(self) -> str:
        return self._err.read_text("utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.splitlines()]

    def get(self, path: str, port: int = 0) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.web_port}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self) -> dict[str, float]:
        status, text = self.get("/metrics", self.metrics_port)
        assert status == 200
        rows = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in rows}


def names_in(text: str) -> set[str]:
    """Metrics that are named somewhere."""
    return set(re.findall(r"\b(?:chat|process)_[a-z_]+\b", text))


def test_a_life_in_json(tmp_path: Path) -> None:
    """Each line is one object, one as a connection opens, one as it closes; words and tokens are in none."""
    with Foreground(tmp_path) as chat:
        with connect(f"ws://127.0.0.1:{chat.web_port}/v1", proxy=None) as peer:
            peer.send(json.dumps({"type": "hello", "id": 1, "rooms": {"lobby": {}}}))
            token = json.loads(peer.recv(PATIENCE_S))["guest_token"]
            peer.send(json.dumps({"type": "message", "id": 2, "room": "lobby", "text": "xyzzy plugh"}))
            while json.loads(peer.recv(PATIENCE_S)).get("id") != 2:
                pass
        with connect(f"ws://127.0.0.1:{chat.web_port}/text?token={token}&nick=%1b%5b31m", proxy=None):
            pass
        with socket.create_connection(("127.0.0.1", chat.line_port), PATIENCE_S) as line:
            line.sendall("\x1b[2Jxyzzy \u202e\nbye\n".encode())
            while line.recv(4096):
                pass
        eventually(lambda: chat.log.count("connection_closed") == 3, "three closing lines")
        chat.process.send_signal(signal.SIGINT)
        assert chat.process.wait(PATIENCE_S) == 0
        events = [line["event"] for line in chat.lines]
        assert events.count("connection_opened") == 3 and "started" in events
        for line in chat.lines:
            assert list(line)[:4] == ["ts", "level", "event", "msg"]
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
            assert re.fullmatch("[a-z_]+", line["event"])
        opened = [line for line in chat.lines if line["event"] == "connection_opened"]
        assert [line["dialect"] for line in opened] == ["full", "text", "line"]
        closed = {line["conn"]: line for line in chat.lines if line["event"] == "connection_closed"}
        assert [line["code"] for line in closed.values()] == ["1000", "1000", "bye"]
        assert closed[1]["messages_in"] == 2 and closed[1]["messages_out"] >= 3 and closed[1]["dur_ms"] >= 0
        assert "xyzzy" not in chat.log and token not in chat.log and token[10:30] not in chat.log
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", chat.log)


def test_a_log_for_people(tmp_path: Path) -> None:
    """`--log-format human` has the banner and plain lines; a level leaves out what matters less."""
    with Foreground(tmp_path, "--log-format=human", "--log-level=warn") as chat:
        eventually(lambda: "open this" in chat.log, "the banner")
        with connect(f"ws://127.0.0.1:{chat.web_port}/text", proxy=None):
            pass
        chat.process.send_signal(signal.SIGINT)
        assert chat.process.wait(PATIENCE_S) == 0
        assert "opens" not in chat.log and "Main loop" not in chat.log


def test_metrics(tmp_path: Path) -> None:
    """What happens is counted; what grafana.json and alerts.yml name exists; /metrics is not on the main port."""
    with Foreground(tmp_path) as chat:
        with connect(f"ws://127.0.0.1:{chat.web_port}/v1", proxy=None) as ann:
            ann.send(json.dumps({"type": "hello", "id": 1, "rooms": {"lobby": {}}}))
            ann.recv(PATIENCE_S)
            ann.send(json.dumps({"type": "join", "id": 2, "room": "lobby", "since": {"epoch": "never", "seq": 3}}))
            ann.send(json.dumps({"type": "message", "id": 3, "room": "lobby", "text": "hi"}))
            ann.send(json.dumps({"type": "fly", "id": 4}))
            while json.loads(ann.recv(PATIENCE_S)).get("id") != 4:
                pass
            now = chat.metrics()
            assert now['chat_connections{transport="websocket"}'] == 1 and now["chat_users_online"] == 1
            assert now['chat_messages_received_total{transport="websocket"}'] == 4
            assert now['chat_messages_sent_total{transport="websocket"}'] >= 5
            assert now['chat_bytes_sent_total{transport="websocket"}'] > 500
            assert now['chat_auth_total{result="guest"}'] == 1 and now["chat_subscriptions"] == 2
            assert now['chat_recoveries_total{result="epoch"}'] == 1
            assert now['chat_messages_rejected_total{reason="unknown_type"}'] == 1
            assert "chat_flooders_ended_total" in now
            assert now["chat_ack_duration_seconds_count"] == 1 and now["chat_backend_up"] == 1
            assert now['chat_storage_op_duration_seconds_count{op="commit"}'] >= 1
        eventually(
            lambda: chat.metrics().get('chat_disconnections_total{code="1000",transport="websocket"}') == 1,
            "the end is counted",
        )
        eventually(lambda: chat.metrics()["chat_event_loop_lag_seconds_count"] > 2, "the lag is looked at")
        _, text = chat.get("/metrics", chat.metrics_port)
        known = set(re.findall(r"^# TYPE (\S+)", text, re.M))
        known |= {f"{name}_bucket" for name in known}
        known |= {metric.name for metric in ArchiveCollector(Numbers()).collect()}  # where there is an archive
        for page in ("grafana.json", "alerts.yml"):
            named = names_in((CHECKOUT / "deploy" / page).read_text())
            assert len(named) > 3 and named <= known, named - known
        assert not re.search(r'(room|user|nick|address|remote)="', text)
        assert chat.get("/metrics")[0] == 404 and chat.get("/", chat.metrics_port)[0] == 404


def test_metrics_elsewhere(tmp_path: Path) -> None:
    """`public` has them at the main port; a busy port of their own is a warning and nothing more."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Foreground(tmp_path / "a", "--metrics-listen=public") as chat:
        assert "chat_build_info" in chat.get("/metrics")[1]
        busy = f"--metrics-listen=tcp:{chat.web_port}:interface=127.0.0.1"
        with Foreground(tmp_path / "b", busy) as other:
            assert other.get("/health")[0] == 200
            assert [line["level"] for line in other.lines if line["event"] == "metrics_not_served"] == ["warn"]


def test_health(serve: Serve) -> None:
    """Probes are answered by twistd's service as well, and the answers are not to be kept."""
    server = serve()
    with urllib.request.urlopen(f"{server.page_url}health", timeout=20) as answer:
        told = json.loads(answer.read())
        assert answer.headers["Cache-Control"] == "no-store"
    assert told["status"] == "ok" and told["uptime_s"] >= 0
    with urllib.request.urlopen(f"{server.page_url}health/ready", timeout=20) as answer:
        assert json.loads(answer.read()) == {"status": "ok"}


def test_sighup_takes_settings(tmp_path: Path) -> None:
    """Limits change while people talk; what needs a restart is told; a file that is none changes nothing."""
    file = tmp_path / "chat.toml"
    file.write_text("message-burst = 5\n")
    with Foreground(tmp_path) as chat:

        def burst() -> int:
            with connect(f"ws://127.0.0.1:{chat.web_port}/v1", proxy=None) as peer:
                peer.send(json.dumps({"type": "hello", "id": 1}))
                return int(json.loads(peer.recv(PATIENCE_S))["limits"]["msg_burst"])

        def seen(event: str) -> list[dict[str, Any]]:
            return [line for line in chat.lines if line["event"] == event]

        assert burst() == 5
        file.write_text('message-burst = 7\nlang = "zh-CN"\nnonsense = 1\n')
        os.kill(chat.process.pid, signal.SIGHUP)
        eventually(lambda: seen("setting_waits_for_restart"), "the line about lang")
        assert burst() == 7
        assert [line["name"] for line in seen("setting_changed")] == ["message-burst"]
        assert len(seen("unknown_setting")) == 1
        file.write_text("message-burst = \n")
        os.kill(chat.process.pid, signal.SIGHUP)
        eventually(lambda: seen("reload_failed"), "the line about the file")
        assert burst() == 7


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["rnu"], 2, "did you mean run?"),
        (["check-config", "--lang=de"], 1, "--lang de"),
        (["check-config", "--redirect=0"], 1, "no https"),
        (["check-config", "--store=redis:nowhere"], 1, "--store: "),
        (["check-config", "--lang=de", "--message-rate=no"], 1, "\nchatservice: --message-rate no"),
        (["run", "--nonsense"], 2, "--nonsense"),
        (["export", "nowhere"], 1, "there is no data directory"),
    ],
)
def test_refusals(arguments: list[str], status: int, words: str, tmp_path: Path) -> None:
    """Each is said on stderr, with a status."""
    command = [sys.executable, "-m", "chatservice.cli", *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=20
    )
    assert done.returncode == status and words in done.stderr and done.stdout == ""


def test_rooms_and_export(tmp_path: Path) -> None:
    """`room` and `export` do the same while the chat runs and while it does not."""

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "chatservice.cli", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout

    with Foreground(tmp_path, "--insecure-no-limits") as chat:
        with connect(f"ws://127.0.0.1:{chat.web_port}/text?room=tea", proxy=None) as peer:
            for number in range(250):  # more than a page of the export
                peer.send(f"word {number}")
            while peer.recv(PATIENCE_S) != "word 249":
                pass
        exported = run("export", "tea")
        assert [json.loads(line)["text"] for line in exported.splitlines()] == [f"word {n}" for n in range(250)]
        assert run("room", "lock", "tea") == "tea: entry 251\n"
        assert run("room", "list") == "      251  tea  (locked)\n"
        chat.process.send_signal(signal.SIGTERM)
        chat.process.wait(PATIENCE_S)
    assert run("room", "unlock", "tea") == "tea: entry 252\n"
    assert run("room", "list") == "      252  tea\n"
    for arguments, words in (
        (["export", "nowhere"], "no such room"),
        (["room", "lock", "@me"], "a room name has"),
    ):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            run(*arguments)
        assert words in refused.value.stderr
    assert run("export", "tea").startswith(exported)

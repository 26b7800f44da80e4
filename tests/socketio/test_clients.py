"""The real npm clients, in Node, on all transports."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from npm import installed

from .wire import CHECKOUT, Application

SCRIPTS = CHECKOUT / "tests" / "js"
CLIENTS = ["client-2.2", "client-2.5", "client-4"]
TRANSPORTS = ["upgrade", "ws", "polling"]


@pytest.fixture(scope="module")
def clients() -> Path:
    """The directory with the clients installed as the lockfile says."""
    installed(SCRIPTS)
    return SCRIPTS


@pytest.fixture(scope="module")
def patient() -> Iterator[Application]:
    """The example application with pings that a busy computer can keep up with."""
    application = Application(5000, 5000)
    yield application
    assert application.stop() == ""


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("client", CLIENTS)
def test_features(clients: Path, patient: Application, client: str, transport: str) -> None:
    """Each client gets acknowledgements, bytes and namespaces on each transport."""
    done = subprocess.run(
        ["node", "features.js", client, transport, str(patient.port), "acks", "binary", "namespaces"],
        cwd=clients, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout


def test_reconnect_after_a_restart(clients: Path) -> None:
    """All clients on all transports come back by themselves when the server was killed and started again."""
    application = Application(5000, 5000)
    nodes = {
        (client, transport): subprocess.Popen(
            ["node", "features.js", client, transport, str(application.port), "reconnect"],
            cwd=clients, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for client in CLIENTS
        for transport in TRANSPORTS
    }  # fmt: skip
    try:
        for node in nodes.values():
            assert node.stdout is not None
            assert node.stdout.readline() == "ready\n", node.stderr and node.stderr.read()
        application.stop()
        application.start()
        for which, node in nodes.items():
            _, complaint = node.communicate(timeout=25)
            assert node.returncode == 0, (which, complaint)
    finally:
        for node in nodes.values():
            node.kill()
            node.communicate()
        assert application.stop() == ""


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_recovery(clients: Path, transport: str) -> None:
    """A 4.x client whose connection breaks comes back as the same and is told what it missed."""
    application = Application(5000, 5000, Path(__file__).with_name("recovering_app.py"))
    done = subprocess.run(
        ["node", "features.js", "client-4", transport, str(application.port), "recovery"],
        cwd=clients, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert application.stop() == ""
    assert done.returncode == 0, done.stderr + done.stdout

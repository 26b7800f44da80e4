"""Servers and browsers for the end-to-end tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from e2e.browsing import Browsing
from e2e.server import Server

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts servers with the options it is given; all are stopped at the end and must have been quiet."""
    with ExitStack() as stack:

        def start(*options: str) -> Server:
            return stack.enter_context(Server(tmp_path_factory.mktemp("server"), *options))

        yield start


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server for this test alone."""
    return serve()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a file that do not care what else was said there."""
    with Server(tmp_path_factory.mktemp("shared"), "--insecure-no-limits") as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One real Chromium for all tests of a worker, since Playwright runs once in a thread; each page gets its own
    context."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "chromium is not installed; tests/install-tools tells what is needed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def browsing(chromium: Browser) -> Iterator[Browsing]:
    """Opens pages; fails the test if anything happened in one of them that must not happen."""
    browsing = Browsing(chromium)
    yield browsing
    browsing.finish()

"""The one browser of a worker, and signals as a terminal has them."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.browsing import Browsing
from playwright.sync_api import Browser, sync_playwright

# Whoever starts the tests in the background of a shell has SIGINT ignored, and all children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


LONG = ("faults", "package", "e2e", "nodes", "property", "web")
"""Where one file takes long: the workers are done at about the same time if these are not the last."""

WITHOUT = (
    # Chromium 156 makes two pages of its own for the address bar of each window, which cost as much as ours does.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # What Playwright switches off: only the last of these switches counts.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put those first; see `make test`."""

    def place(item: pytest.Item) -> int:
        parts = item.path.relative_to(Path(__file__).parent).parts
        return LONG.index(parts[0]) if parts[0] in LONG else len(LONG)

    items.sort(key=place)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One real Chromium for all tests of a worker, since Playwright runs once in a thread; each page gets its own
    context."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "chromium is not installed; tests/install-tools tells what is needed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                f"--disable-features={','.join(WITHOUT)}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def browsing(chromium: Browser) -> Iterator[Browsing]:
    """Opens pages; fails the test if anything happened in one of them that must not happen."""
    browsing = Browsing(chromium)
    yield browsing
    browsing.finish()

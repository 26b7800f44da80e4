"""The taught pages and clients of tests/pages, with the chat's address filled in and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGES = Path(__file__).resolve().parent.parent / "pages"


def filled(name: str, directory: Path, **values: str) -> Path:
    """A copy of the taught file in `directory`; each `__NAME__` in it is replaced by its value, once."""
    words = (PAGES / name).read_text("utf-8")
    for placeholder, value in values.items():
        assert words.count(placeholder) == 1, f"{name}: {placeholder} must stand there exactly once"
        words = words.replace(placeholder, value)
    copy = directory / name
    copy.write_text(words, "utf-8")
    return copy


class _Files(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # Chromium asks for one and would complain on the console
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what the browser fetched is of no interest."""


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """The directory at another port of this computer, as a newcomer's own web server would show it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(directory))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()

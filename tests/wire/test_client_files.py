"""The client library at fixed addresses, whether or not it was built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chatservice.transports import assets
from wire.house import House
from wire.test_page_files import STATIC, get, safe

LIBRARY = {
    "client.js": "text/javascript; charset=utf-8",
    "client.iife.js": "text/javascript; charset=utf-8",
    "client.d.ts": "text/plain; charset=utf-8",
}


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's files as a checkout has them in which nothing was built."""
    shutil.copytree(STATIC, tmp_path / "static", ignore=shutil.ignore_patterns("app"))
    monkeypatch.setattr(assets, "STATIC", tmp_path / "static")
    return tmp_path / "static"


@pytest.mark.parametrize("name", LIBRARY)
def test_built(static: Path, name: str) -> None:
    """Pages of other hosts may load it; a browser that has it is told so."""
    (static / "app").mkdir()
    (static / "app" / name).write_text(f"// {name}")
    house = House()
    answer = get(house, f"/{name}", "Origin: https://shop.example")
    assert (answer.status, answer.body.decode()) == (200, f"// {name}")
    assert answer.headers["content-type"] == LIBRARY[name]
    assert answer.headers["access-control-allow-origin"] == "*" and safe(answer)
    assert get(house, f"/{name}", f"If-None-Match: {answer.headers['etag']}").status == 304
    assert get(house, "/static/app/" + name).status == 404
    assert "access-control-allow-origin" not in get(house).headers


@pytest.mark.parametrize("name", LIBRARY)
def test_not_built(static: Path, name: str) -> None:
    """One line says how to get it, and everything else works."""
    house = House()
    answer = get(house, f"/{name}", "Origin: https://shop.example")
    assert answer.status == 404 and answer.body.count(b"\n") == 1 and b"make web" in answer.body
    assert answer.headers["access-control-allow-origin"] == "*" and safe(answer)
    assert get(house).status == 200

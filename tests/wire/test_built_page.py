"""The full page where it is built: its addresses, how long its files may be kept, in which codings they come."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from chatservice.transports.assets import Pages, keep, load_build
from wire.house import House
from wire.test_headers import EXACT, POLICY, is_exact
from wire.test_page_files import STATIC, get

FOR_EVER = "public, max-age=31536000, immutable"
PNG = b"\x89PNG" + b"\x00" * 40


def make_build(folder: Path, name: str, *, more: dict[str, bytes] | None = None, inline: str = "") -> Path:
    """What a build leaves, in small.

    :param inline: the source of a script that stands in the page itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    hashed = {f"app.{name}.js": f"run({name!r})".encode() * 9, f"seal.{name}.png": PNG, **(more or {})}
    fixed = {
        "index.html": f'<script type="module" src="app/app.{name}.js"></script>'.encode(),
        "sw.js": b"/* keeps */",
        "manifest.webmanifest": b"{}",
        "LICENSES.txt": b"to all",
        "client.js": b"export {}",
    }
    files = {**hashed, **fixed}
    for file, content in files.items():
        (folder / file).write_bytes(content)
    for end in ("br", "gz"):
        (folder / f"app.{name}.js.{end}").write_bytes(f"{name} as {end}".encode())
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}
    about = {"build": f"0.1.0-{name}", "hashed": sorted(hashed), "inline": inline, "files": digests}
    (folder / "assets.json").write_text(json.dumps(about))
    return folder


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """The package's files with a build in them."""
    shutil.copytree(STATIC, tmp_path / "static", ignore=shutil.ignore_patterns("app"))
    make_build(tmp_path / "static" / "app", "aa11")
    return tmp_path / "static"


@pytest.fixture
def built(static: Path) -> House:
    """A house that serves it."""
    return House(pages=Pages.load(static))


def test_the_page(built: House) -> None:
    """It is at /, asked for each time; the small one stays at /lite."""
    page = get(built, "/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"app/app.aa11.js" in page.body and page.headers["cache-control"] == "no-cache"
    assert get(built, "/", f"If-None-Match: {page.headers['etag']}").status == 304
    head = get(built, "/", method="HEAD")
    assert (head.status, head.body) == (200, b"") and head.headers == page.headers
    assert get(built, "/lite").body == (STATIC / "lite.html").read_bytes()


def test_a_script_in_the_page(static: Path) -> None:
    """The policy of the page names the digest of the script in it; that of everything else names none."""
    digest = "sha256-" + "aB+/" * 10 + "abc="
    make_build(static / "app", "aa11", inline=digest)
    house = House(pages=Pages.load(static))
    expected = {
        **EXACT,
        "content-security-policy": POLICY.replace("script-src 'self'", f"script-src 'self' '{digest}'"),
    }
    page = get(house, "/")
    assert is_exact(page.headers, expected)
    again = get(house, "/", f"If-None-Match: {page.headers['etag']}")
    assert again.status == 304 and is_exact(again.headers, expected)
    for path in ("/lite", "/app/app.aa11.js", "/sw.js", "/nothing"):
        assert is_exact(get(house, path).headers), path


@pytest.mark.parametrize("inline", ["'unsafe-inline'", "sha256-abc=", "x; script-src *", None, 7])
def test_an_impossible_digest(static: Path, inline: Any) -> None:
    """A manifest that would put anything else into the policy is that of no build."""
    make_build(static / "app", "aa11", inline=inline)
    assert load_build(static / "app") is None


@pytest.mark.parametrize(
    ("path", "kind", "kept"),
    [
        ("/app/app.aa11.js", "text/javascript; charset=utf-8", FOR_EVER),
        ("/app/seal.aa11.png", "image/png", FOR_EVER),
        ("/app/LICENSES.txt", "text/plain; charset=utf-8", "no-cache"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/client.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/robots.txt", "text/plain; charset=utf-8", "no-cache"),
        ("/static/lite.js", "text/javascript; charset=utf-8", "no-cache"),
    ],
)
def test_how_long_it_is_kept(built: House, path: str, kind: str, kept: str) -> None:
    """For ever where the name tells the content, and only there."""
    answer = get(built, path)
    assert (answer.status, answer.headers["content-type"], answer.headers["cache-control"]) == (200, kind, kept)
    assert is_exact(answer.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/app/assets.json",
        "/app/app.aa11.js.br",
        "/app/index.html",
        "/app/sw.js",
        "/app/client.js",
        "/app/app.bb22.js",
    ],
)
def test_nothing_else(built: House, path: str) -> None:
    """Everything has one address, and the manifest none."""
    assert get(built, path).status == 404


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("GZIP", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("br; q=0.000, *", "gzip"),
        ("*", "br"),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=nonsense", None),
        ("brotli, x-gzip", None),
        ("", None),
    ],
)
def test_codings(built: House, accepted: str | None, coding: str | None) -> None:
    """What the browser takes decides, the smallest first; each form has a tag of its own."""
    answer = get(built, "/app/app.aa11.js", *([] if accepted is None else [f"Accept-Encoding: {accepted}"]))
    assert answer.headers.get("content-encoding") == coding and answer.headers["vary"] == "Accept-Encoding"
    packed = {"br": b"aa11 as br", "gzip": b"aa11 as gz", None: b"run('aa11')" * 9}
    assert answer.body == packed[coding]
    tag = answer.headers["etag"]
    others = {"gzip", "br", "identity"} - {coding or "identity"}
    assert tag not in {
        get(built, "/app/app.aa11.js", f"Accept-Encoding: {name}").headers["etag"] for name in others
    }


def test_a_picture_is_not_packed_again(built: House) -> None:
    """PNG comes as it is."""
    assert "content-encoding" not in get(built, "/app/seal.aa11.png", "Accept-Encoding: gzip").headers


@pytest.mark.parametrize("damage", ["lost", "changed", "no manifest", "half a manifest", "a way out"])
def test_half_a_build(static: Path, damage: str) -> None:
    """What is not whole is not served: / is the small page, and a worker of an earlier build is told to leave."""
    app = static / "app"
    manifest = app / "assets.json"
    if damage == "lost":
        (app / "app.aa11.js").unlink()
    elif damage == "changed":
        (app / "app.aa11.js").write_text("evil()")
    elif damage == "no manifest":
        manifest.unlink()
    elif damage == "half a manifest":
        manifest.write_bytes(manifest.read_bytes()[:-20])
    else:
        manifest.write_text(manifest.read_text().replace("sw.js", "../lite.js"))
    house = House(pages=Pages.load(static))
    assert get(house, "/").body == (STATIC / "lite.html").read_bytes()
    assert b"unregister" in get(house, "/sw.js").body
    assert get(house, "/app/app.aa11.js").status == 404


def test_files_of_the_build_before(static: Path, tmp_path: Path) -> None:
    """After an upgrade pages that are open still get theirs: those of one build back, not of two."""
    data, served = tmp_path / "data", {}
    for age, name in enumerate(["aa11", "bb22", "cc33"]):
        shutil.rmtree(static / "app")
        build = load_build(make_build(static / "app", name))
        assert build is not None
        served[name] = keep(data, build)
        os.utime(data / build.id, (1000 + age, 1000 + age))
    assert [sorted(files) for files in served.values()] == [
        [],
        ["app.aa11.js", "seal.aa11.png"],
        ["app.bb22.js", "seal.bb22.png"],
    ]
    house = House(pages=Pages(Pages.load(static).small, build, {}, served["cc33"]))
    old = get(house, "/app/app.bb22.js", "Accept-Encoding: gzip")
    assert (old.status, old.headers["cache-control"], old.headers["content-encoding"]) == (200, FOR_EVER, "gzip")
    assert get(house, "/app/app.cc33.js").status == 200 and get(house, "/app/app.aa11.js").status == 404
    assert sorted(path.name for path in data.iterdir()) == ["0.1.0-bb22", "0.1.0-cc33"]


def test_starting_again_is_no_upgrade(static: Path, tmp_path: Path) -> None:
    """The same build started again and again keeps what was before it; going back is an upgrade too."""
    first = load_build(static / "app")
    second = load_build(make_build(tmp_path / "second", "bb22"))
    assert first is not None and second is not None
    data = tmp_path / "data"
    keep(data, first)
    os.utime(data / first.id, (1000, 1000))
    assert [sorted(keep(data, second)) for _ in range(3)] == [sorted(first.hashed)] * 3
    os.utime(data / second.id, (2000, 2000))
    assert sorted(keep(data, first)) == sorted(second.hashed)


def test_what_was_kept_and_changed_is_not_served(static: Path, tmp_path: Path) -> None:
    """What is not what the build made runs in nobody's page; a copy that was cut off is mended."""
    first = load_build(static / "app")
    second = load_build(make_build(tmp_path / "second", "bb22"))
    assert first is not None and second is not None
    data = tmp_path / "data"
    keep(data, first)
    (data / first.id / "app.aa11.js").write_text("evil()")
    assert keep(data, second) == {}
    keep(data, first)
    shutil.rmtree(data / second.id)
    (data / ".0.1.0-dd44").mkdir()  # cut off while it was written
    assert sorted(keep(data, second)) == sorted(first.hashed)
    shutil.rmtree(data / second.id)
    (data / f".{second.id}").mkdir()
    (data / second.id).mkdir()
    keep(data, second)
    assert load_build(data / second.id) is not None

"""What the build makes of web/app: names that tell the content, lazy parts, licences, weight."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGE = (
    '<html><head><link rel="stylesheet" href="{{css}}"><script type="module" src="{{js}}"></script></head></html>'
)
KB = 1024
PACKED = (".br", ".gz")


class Source:
    """A copy of the sources with a page of its own.

    :ivar home: the copy of the checkout.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.app = home / "web" / "app"
        shutil.copytree(CHECKOUT / "web", home / "web", ignore=shutil.ignore_patterns("node_modules", "app"))
        (home / "web" / "node_modules").symlink_to(CHECKOUT / "web" / "node_modules")
        for name in ("docs/wire/chat.v1.schema.json", "chatservice/__init__.py", "chatservice/static/seal.svg"):
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, home / name)
        self.write("main.js", 'document.title = "one";')
        self.write("app.css", "body { color: red }")
        self.write("index.html", PAGE)

    def write(self, name: str, text: str) -> None:
        """A file of the page."""
        self.app.mkdir(exist_ok=True)
        (self.app / name).write_text(text, "utf-8")

    def try_build(self) -> subprocess.CompletedProcess[str]:
        """Build; it may fail."""
        command = ["node", "web/scripts/build.js", str(self.home / "out")]
        return subprocess.run(command, cwd=self.home, capture_output=True, text=True, timeout=120)

    def build(self) -> dict[str, bytes]:
        """The files that were made."""
        done = self.try_build()
        assert done.returncode == 0, done.stderr
        return contents(self.home / "out")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in there."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def about(files: dict[str, bytes]) -> Any:
    """The manifest."""
    return json.loads(files["assets.json"])


def named(files: dict[str, bytes], stem: str, end: str) -> str:
    """The one file of that name, whatever its hash."""
    (name,) = (name for name in files if re.fullmatch(rf"{stem}\.[A-Z0-9]{{8}}\.{end}", name))
    return name


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What is built of the page as it is."""
    out = tmp_path_factory.mktemp("real")
    done = subprocess.run([CHECKOUT / "web" / "build", out], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return contents(out)


@pytest.fixture
def source(real: dict[str, bytes], tmp_path: Path) -> Source:
    """Sources to change; the packages are there since the real page was built."""
    return Source(tmp_path)


@pytest.fixture(scope="module")
def first(real: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What is built of such sources before anything is changed."""
    return Source(tmp_path_factory.mktemp("first")).build()


# --- the real page ---


def served(files: dict[str, bytes], path: str) -> bytes:
    """What is at this address: built, or one of the small page's files."""
    folder, _, name = path.rpartition("/")
    return (CHECKOUT / "chatservice" / path).read_bytes() if folder == "static" else files[name]


def first_load(files: dict[str, bytes]) -> dict[str, bytes]:
    """What the page fetches before anybody does anything, by kind; its own HTML too."""
    html = files["index.html"].decode()
    found = {"html": files["index.html"]}
    for relation, path in re.findall(r'<link rel="([\w-]+)"[^>]* href="([^"]+)"', html):
        if relation in ("stylesheet", "modulepreload", "icon", "manifest") and not path.startswith("data:"):
            found[f"{relation} {path}"] = served(files, path)
    for path in re.findall(r'<script[^>]* src="([^"]+)"', html):
        found[f"script {path}"] = served(files, path)
    return found


def zipped(files: dict[str, bytes], kinds: tuple[str, ...]) -> int:
    return sum(len(gzip.compress(content, 9)) for name, content in files.items() if name.startswith(kinds))


def test_weight(real: dict[str, bytes]) -> None:
    """UI-28: the page is light enough for a slow line: HTML, style and script zipped, in at most six requests."""
    load = first_load(real)
    assert zipped(load, ("html",)) <= 3 * KB
    assert 0 < zipped(load, ("stylesheet",)) <= 12 * KB
    assert 0 < zipped(load, ("script", "modulepreload")) <= 75 * KB
    assert zipped(load, ("",)) <= 90 * KB
    assert len(load) <= 6, sorted(load)  # the worker is fetched when all this is there


def test_nothing_from_elsewhere(real: dict[str, bytes]) -> None:
    """UI-21: nothing names another host; no style stands in the HTML, and no script but the one whose digest the
    page's policy names; addresses are relative."""
    html = real["index.html"].decode()
    assert "{{" not in html and "<style" not in html and " style=" not in html
    [(attributes, script)] = re.findall(r"<script(.*?)>(.*?)</script>", html, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert about(real)["inline"] == f"sha256-{digest}" and attributes == ""
    assert re.findall(r"<[^>]*\son\w+=", html) == []
    for address in re.findall(r'(?:src|href)="([^"]+)"', html):
        assert not re.match(r"/|[a-z]+:(?!image/)", address), address
    css = real[named(real, "app", "css")].decode()
    assert re.findall(r"@import|url\((?!['\"]?data:)", css) == []


def test_whole(real: dict[str, bytes]) -> None:
    """The manifest names every file with its digest; beside each stands what is sent packed, and smaller."""
    manifest = about(real)
    plain = {name for name in real if not name.endswith(PACKED)} - {"assets.json"}
    assert set(manifest["files"]) == plain and set(manifest["hashed"]) < plain
    for name, digest in manifest["files"].items():
        assert hashlib.sha256(real[name]).hexdigest() == digest
    for name in (name for name in real if name.endswith(PACKED)):
        assert len(real[name]) < len(real[name[:-3]])
        assert not name.endswith(".gz") or gzip.decompress(real[name]) == real[name[:-3]]
    for name in (name for name in plain if len(real[name]) > 500 and not name.endswith(".png")):
        assert {name + end for end in PACKED} <= set(real), name


def test_install(real: dict[str, bytes]) -> None:
    """The web manifest leads to icons of the sizes it says, by relative addresses."""
    manifest = json.loads(real["manifest.webmanifest"])
    assert manifest["start_url"] == manifest["scope"] == "./" and manifest["display"] == "standalone"
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        content = real[icon["src"].removeprefix("app/")]
        if icon["type"] == "image/png":
            assert icon["sizes"] == "x".join(map(str, png_size(content)))
        else:
            assert content.startswith(b"<svg")
    html = real["index.html"].decode()
    assert html.count('name="theme-color"') == 2 and '<meta name="robots" content="noindex">' in html
    touch = re.search(r'rel="apple-touch-icon" href="app/([^"]+)"', html)
    assert touch and png_size(real[touch[1]]) == (180, 180)


def png_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG whose checksums and length are right."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, blocks = 8, {}
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", content[at + 8 + length : at + 12 + length])
        assert zlib.crc32(kind + body) == check
        blocks[kind] = body
        at += 12 + length
    width, height = struct.unpack(">II", blocks[b"IHDR"][:8])
    assert len(zlib.decompress(blocks[b"IDAT"])) == height * (1 + 4 * width) and b"IEND" in blocks
    return width, height


# --- the build ---


def test_names_tell_the_content(source: Source, first: dict[str, bytes]) -> None:
    """The same again, elsewhere, gives the same bytes; a change gives new names to what changed, and another
    build."""
    assert source.build() == first
    source.write("main.js", 'document.title = "two";')
    second = source.build()
    assert named(second, "app", "js") != named(first, "app", "js")
    assert named(second, "app", "css") == named(first, "app", "css")
    builds = [about(files)["build"] for files in (first, second)]
    assert builds[0] != builds[1]
    for files, build in zip((first, second), builds, strict=True):
        assert f'<meta name="build" content="{build}">' in files["index.html"].decode()
        assert build in files["sw.js"].decode() and f"app/{named(files, 'app', 'js')}" in files["sw.js"].decode()


@pytest.mark.parametrize("changed", ["web/app/index.html", "web/worker/sw.js", "chatservice/__init__.py"])
def test_every_change_is_another_build(source: Source, first: dict[str, bytes], changed: str) -> None:
    """So does a change of what has no name of its own: the HTML, the worker, the version."""
    path = source.home / changed
    text = path.read_text("utf-8").replace("</html>", "<!-- --></html>").replace("5_000", "6_000")
    path.write_text(text.replace('__version__ = "', '__version__ = "9.'), "utf-8")
    assert about(source.build())["build"] != about(first)["build"]


def test_lazy_parts(source: Source) -> None:
    """What is imported when it is needed is a file of its own, kept for ever, and not fetched at first."""
    source.write("faces.json", json.dumps({"smile": "😀" * 500}))
    source.write("both.js", "export const both = (text) => `<${text.repeat(3)}>`;")
    source.write("lazy.js", 'import { both } from "./both.js"; export const lazy = both("much later");')
    source.write(
        "main.js",
        'import { both } from "./both.js"; document.title = both("now");'
        'globalThis.later = () => [import("./lazy.js"), import("./faces.json")];',
    )
    files = source.build()
    html = files["index.html"].decode()
    for stem in ("lazy", "faces"):
        name = named(files, stem, "js")
        assert name in about(files)["hashed"] and name not in html
    # What the lazy part shares with the page is known to the browser at once, not after the script was read.
    assert f'<link rel="modulepreload" href="app/{named(files, "chunk", "js")}" fetchpriority="low">' in html


def test_licences(source: Source, first: dict[str, bytes]) -> None:
    """Each package of which something is bundled is there with its text, and none of which nothing is."""
    assert b"preact" not in first["LICENSES.txt"]
    source.write(
        "main.js",
        'import { render } from "preact"; import { signal } from "@preact/signals"; import htm from "htm";'
        'import Markdown from "markdown-it"; import cjk from "markdown-it-cjk-friendly";'
        "globalThis.all = [render, signal, htm, new Markdown().use(cjk)];",
    )
    told = source.build()["LICENSES.txt"].decode()
    _, *parts = told.split("=" * 78)
    lock = json.loads((CHECKOUT / "web" / "package-lock.json").read_text("utf-8"))["packages"]
    names = set()
    for part in parts:
        head, _, text = part.strip().partition("\n")
        name, version, licence = head.split(" ", 2)
        assert lock[f"node_modules/{name}"]["version"] == version and licence in ("(MIT)", "(Apache-2.0)")
        assert re.search(r"Permission is hereby granted|Apache License", text), name
        names.add(name)
    runtime = {path.removeprefix("node_modules/") for path, entry in lock.items() if path and not entry.get("dev")}
    # markdown-it's argparse is of its command line; stubs stand in the place of the others.
    assert names == runtime - {"argparse", "entities", "punycode.js"}


def test_a_package_without_a_licence(source: Source, tmp_path: Path) -> None:
    """What says nothing about its licence is not bundled."""
    package = source.app / "node_modules" / "orphan"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name":"orphan","version":"1.0.0","main":"index.js"}')
    (package / "index.js").write_text("export const orphan = document.title;")
    source.write("main.js", 'import { orphan } from "orphan"; document.title = orphan + "!";')
    done = source.try_build()
    assert done.returncode != 0 and "orphan has no licence text" in done.stderr


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        (PAGE.replace("{{css}}", "app.css"), "index.html lacks {{css}}"),
        (PAGE.replace("<html>", "<html>{{who}}"), "nobody knows {{who}}"),
    ],
)
def test_a_wrong_template(source: Source, first: dict[str, bytes], page: str, complaint: str) -> None:
    """A template that misses a place, or has one too many, builds nothing; what was there stays as it was."""
    (source.home / "out").mkdir()
    for name, content in first.items():
        (source.home / "out" / name).write_bytes(content)
    source.write("index.html", page)
    done = source.try_build()
    assert done.returncode != 0 and complaint in done.stderr
    assert contents(source.home / "out") == first


def test_the_template_has_the_last_word(source: Source) -> None:
    """What already stands in the head is not added again."""
    source.write("index.html", PAGE.replace("<head>", '<head><meta name="robots" content="none">{{build}}'))
    html = source.build()["index.html"].decode()
    assert html.count('name="robots"') == 1 and html.count('rel="manifest"') == 1

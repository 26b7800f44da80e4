"""Files for browsers, read once: those of the small page and what the build made of web/."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import orjson

_TYPES = {
    "html": b"text/html; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "svg": b"image/svg+xml",
    "png": b"image/png",
    "webmanifest": b"application/manifest+json",
    "txt": b"text/plain; charset=utf-8",
    "ts": b"text/plain; charset=utf-8",  # no browser runs it, people read it
}
_PACKED = {"png"}
_CODINGS = {".br": b"br", ".gz": b"gzip"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_SOURCE = re.compile(r"(sha256-[A-Za-z0-9+/]{43}=)?")

STATIC: Traversable = files("chatservice").joinpath("static")
MANIFEST = "assets.json"

LIBRARY = ("client.js", "client.iife.js", "client.d.ts")
"""The client library, for everybody's pages. Built from web/: a checkout need not have it."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file.

    :ivar packed: the same by content coding (RFC 9110 section 8.4.1), the best first.
    :ivar digest: SHA-256 of the plain bytes, hexadecimal.
    """

    content_type: bytes
    plain: bytes
    packed: Mapping[bytes, bytes]
    digest: str


def read_file(folder: Traversable, name: str) -> StaticFile | None:
    """One of its files, with what the build has packed beside it; None if it is not there or no kind we serve."""
    suffix = name.rpartition(".")[2]
    if suffix not in _TYPES or not folder.joinpath(name).is_file():
        return None
    plain = folder.joinpath(name).read_bytes()
    packed = {
        coding: folder.joinpath(name + end).read_bytes()
        for end, coding in _CODINGS.items()
        if folder.joinpath(name + end).is_file()
    }
    if not packed and suffix not in _PACKED:
        packed = {b"gzip": gzip.compress(plain, 9, mtime=0)}
    return StaticFile(_TYPES[suffix], plain, packed, hashlib.sha256(plain).hexdigest())


def load_static(folder: Traversable) -> dict[str, StaticFile]:
    """Its files by name. Names not in here do not exist: no path ever meets a disk."""
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    return {name: file for name in names if (file := read_file(folder, name)) is not None}


@dataclass(frozen=True, slots=True)
class Build:
    """What one build of web/ made.

    :ivar id: which build it is; pages compare it with the one that hello tells.
    :ivar hashed: files whose names tell their content.
    :ivar inline: the script that stands in the HTML itself, as its policy has to name it; empty if there is none.
    """

    id: str
    files: Mapping[str, StaticFile]
    hashed: frozenset[str]
    inline: str = ""


def load_build(folder: Traversable) -> Build | None:
    """The build in there; None if there is none, or not a whole one."""
    if not (folder.is_dir() and folder.joinpath(MANIFEST).is_file()):
        return None
    try:
        about = orjson.loads(folder.joinpath(MANIFEST).read_bytes())
        found = {}
        for name, digest in about["files"].items():
            file = read_file(folder, name) if _NAME.fullmatch(name) else None
            if file is None or file.digest != digest:
                return None
            found[name] = file
        inline = about.get("inline", "")  # what is kept of a build has no HTML
        if not (_NAME.fullmatch(about["build"]) and _SOURCE.fullmatch(inline)):
            return None
        return Build(about["build"], found, frozenset(about["hashed"]) & found.keys(), inline)
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None


def keep(folder: Path, build: Build) -> dict[str, StaticFile]:
    """Keep the hashed files of this build in `folder`; those of the one that ran before it are returned.

    Pages that are open while the service is upgraded may still ask for parts of the old one. An upgrade replaces
    the package's files, so each build leaves its own in the data directory. Builds before the last are removed.

    :raises OSError: if `folder` cannot be read or written.
    """
    own = folder / build.id
    if load_build(own) is None:
        unfinished = folder / f".{build.id}"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(own, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        for name in build.hashed:
            (unfinished / name).write_bytes(build.files[name].plain)
        about = {name: build.files[name].digest for name in build.hashed}
        manifest = {"build": build.id, "hashed": sorted(build.hashed), "files": about}
        (unfinished / MANIFEST).write_bytes(orjson.dumps(manifest))
        unfinished.rename(own)
    os.utime(own)
    others = (path for path in folder.iterdir() if path != own)
    before: Build | None = None
    for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True):
        if before is None and (before := load_build(path)) is not None:
            continue
        shutil.rmtree(path, ignore_errors=True)
    return dict(before.files) if before is not None else {}


@dataclass(frozen=True, slots=True)
class Pages:
    """All that is served as files.

    :ivar small: the page without libraries and what else needs no build.
    :ivar build: the full page; None where it is not built.
    :ivar library: the client library, for everybody's pages.
    :ivar older: hashed files of the build before, for pages that are still open.
    """

    small: Mapping[str, StaticFile]
    build: Build | None
    library: Mapping[str, StaticFile]
    older: Mapping[str, StaticFile] = field(default_factory=dict)

    @classmethod
    def load(cls, static: Traversable | None = None) -> Pages:
        """Those of the package."""
        static = static or STATIC
        app = static.joinpath("app")
        library = {name: file for name in LIBRARY if (file := read_file(app, name)) is not None}
        return cls(load_static(static), load_build(app), library)

"""Which archives there are: rows of name and place, loaded when named in `--archive`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatservice.logs.registry import BadStore

if TYPE_CHECKING:
    from chatservice.logs.archive_store import Database, DatabaseArchive

NONE = "none"
FILE = "archive.db"
"""The name of a SQLite archive if nobody says another."""


def _sqlite(said: str, data: Path, password: str) -> Database:
    from chatservice.logs.archive_sqlite import SQLiteEngine

    file = file_of_archive(said, data)
    assert file is not None
    return SQLiteEngine(file)


def _postgres(said: str, data: Path, password: str) -> Database:
    from chatservice.logs.archive_postgres import PostgresEngine

    return PostgresEngine(said, password)


ARCHIVES: Mapping[str, Callable[[str, Path, str], Database]] = {
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
}


def database_of_archive(said: str, data: Path, password: str = "") -> Database | None:
    """What `--archive` names; None if it names none.

    :param data: where a SQLite file is if its path does not begin with a slash.
    :param password: for a PostgreSQL, if there is none in its address.
    :raises BadStore: for any other name.
    :raises LogError: if a library is missing.
    """
    if said == NONE:
        return None
    name = said.partition(":")[0]
    if name not in ARCHIVES:
        raise BadStore(f"--archive {name}:…: there is sqlite:[PATH], postgresql://… and none")
    return ARCHIVES[name](said, data, password)


def file_of_archive(said: str, data: Path) -> Path | None:
    """The file of the archive that `said` names; None where there is none."""
    name, _, rest = said.partition(":")
    return data / (rest or FILE) if name == "sqlite" else None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An archive that was looked at and can be used.

    :ivar id: which one it is; see `archive_store.Database.prepare`.
    """

    database: Database
    id: str


def prepare_archive(said: str, data: Path, password: str) -> Prepared | None:
    """Look whether it can be used, and make what is missing; None if `said` names none. That takes up to a second
    (soundness.py), so a start does it once.

    :raises BadStore, LogError: with one sentence.
    """
    database = database_of_archive(said, data, password)
    return None if database is None else Prepared(database, database.prepare())


def open_archive(
    prepared: Prepared | None,
    call_from_thread: Callable[[Callable[[], None]], object],
    call_later: Callable[[float, Callable[[], None]], Any],
    trouble: Callable[[str], object],
) -> DatabaseArchive | None:
    """The threads that work on it; None if there is none."""
    if prepared is None:
        return None
    from chatservice.logs.archive_store import DatabaseArchive

    return DatabaseArchive(prepared.database, call_from_thread, call_later, trouble, id=prepared.id)

"""Which archives there are: rows of name and place, loaded when named in `--archive`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    return SQLiteEngine(data / (said.partition(":")[2] or FILE))


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


def open_archive(
    said: str,
    data: Path,
    password: str,
    call_from_thread: Callable[[Callable[[], None]], object],
    call_later: Callable[[float, Callable[[], None]], Any],
    trouble: Callable[[str], object],
) -> DatabaseArchive | None:
    """The archive that `said` names; None if it names none.

    :raises BadStore, LogError: with one sentence.
    """
    database = database_of_archive(said, data, password)
    if database is None:
        return None
    from chatservice.logs.archive_store import DatabaseArchive

    return DatabaseArchive(database, call_from_thread, call_later, trouble)


def check_archive(said: str, data: Path, password: str) -> None:
    """Look whether it can be used, and make what is missing.

    :raises BadStore, LogError: with one sentence.
    """
    database = database_of_archive(said, data, password)
    if database is not None:
        database.prepare()

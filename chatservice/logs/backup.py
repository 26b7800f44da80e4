"""A copy of the database while it is written to, and back. Nothing that was erased is in the copy."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from chatservice.domain.ports import LogError
from chatservice.logs.sqlite import open_database

PARTIAL = ".partial"


def back_up(database: Path, copy: Path) -> int:
    """Write a copy that holds what was committed when this began; readers and the writer go on meanwhile.

    `VACUUM INTO` reads from a connection of its own and writes what lives, page by page: free pages, in which
    erased words may still stand, are not copied. The copy is checked before it gets its name.

    :param database: one that is open elsewhere, or locked for us; it is not checkpointed (see `writer`).
    :param copy: must not be there.
    :returns: its size in bytes.
    :raises LogError: if it could not be made; then it is not there.
    """
    partial = copy.with_name(copy.name + PARTIAL)
    try:
        if copy.exists():
            raise LogError(f"{copy} is there already")
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # password hashes are in it
        source = sqlite3.connect(database, isolation_level=None, timeout=5)
        try:
            source.execute("PRAGMA wal_autocheckpoint=0")
            source.execute("VACUUM INTO ?", (str(partial),))
        finally:
            source.close()
        _finish(partial)
        _sync(partial)
        os.rename(partial, copy)
        _sync(copy.parent)
        return copy.stat().st_size
    except (OSError, sqlite3.Error) as error:
        raise LogError(f"cannot back up {database} to {copy}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _finish(copy: Path) -> None:
    """Take erased words out of the index of words, which keeps them for up to a minute, and check the whole."""
    connection = sqlite3.connect(copy, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=OFF")  # nobody else has it, and a broken one is thrown away
        connection.execute("PRAGMA secure_delete=ON")
        if connection.execute("SELECT 1 FROM chore").fetchone() is not None:
            connection.execute("INSERT INTO found (found) VALUES ('optimize')")
            connection.execute("DELETE FROM chore WHERE name IN ('purge', 'purging')")
            connection.execute("VACUUM")
        _check(connection, copy)
    finally:
        connection.close()


def _as_log(path: Path) -> None:
    open_database(path).close()


def as_archive(path: Path) -> None:
    """For `restore`: it is no log but an archive."""
    from chatservice.logs.archive_sqlite import SQLiteEngine  # which chats without a Redis do not need

    SQLiteEngine(path).prepare()


def is_of_archive(copy: Path) -> bool:
    """Whether a copy is one of an archive. Of one that cannot be read `restore` says why."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(copy))}?mode=ro&immutable=1", uri=True)
        try:
            tables = {
                name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            }
        finally:
            connection.close()
    except sqlite3.Error:
        return False
    return {"about", "entry"} <= tables


def restore(copy: Path, database: Path, *, force: bool = False, bring: Callable[[Path], None] = _as_log) -> None:
    """Put a copy in the place of the database, which nobody may have open.

    The next opening of it is a new identity, so every room begins a new epoch where the copy ends (the fork
    fence): clients that have seen more are told what did not survive.

    :param force: also if there is a database; it is lost then.
    :param bring: opens it once, which brings it up to date; one that a newer program has made it refuses.
    :raises LogError: if there is one, or the copy cannot be used by this program; nothing is changed then.
    """
    if database.exists() and not force:
        raise LogError(f"there is a database already: {database}; --force puts the copy in its place")
    coming = database.with_name(database.name + PARTIAL)
    try:
        _forget(coming)
        with copy.open("rb") as source:
            source.seek(0)
            descriptor = os.open(coming, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as target:
                shutil.copyfileobj(source, target)
        if not coming.stat().st_size:  # SQLite would take it for a new database
            raise LogError(f"{copy} is empty")
        connection = sqlite3.connect(coming, isolation_level=None)
        try:
            _check(connection, copy)
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'entry'").fetchone() is None:
                raise LogError(f"{copy} is no database of chatservice")
        finally:
            connection.close()
        bring(coming)
        give_to_owner(coming)
        _sync(coming)
        # The old one's write-ahead log must not be taken for the new one's.
        for beside in ("-wal", "-shm"):
            database.with_name(database.name + beside).unlink(missing_ok=True)
        os.rename(coming, database)
        _sync(database.parent)
    except (OSError, sqlite3.Error) as error:
        raise LogError(f"cannot restore {copy}: {error}") from error
    finally:
        _forget(coming)


@contextmanager
def without_writer(archive: Path) -> Iterator[None]:
    """Nobody writes to that archive meanwhile. Chats with data directories, and locks, of their own may share one.

    :raises LogError: if somebody does, or it cannot be found out.
    """
    from chatservice.logs.archive_sqlite import lock_writer  # which chats without a Redis do not need
    from chatservice.logs.archive_threads import Away

    try:
        lock = lock_writer(archive)
        give_to_owner(archive.with_name(archive.name + "-writer"))
    except Away as error:
        raise LogError(f"a chat that runs writes to {archive}; stop all that share it") from error
    except OSError as error:
        raise LogError(f"cannot restore {archive}: {error}") from error
    try:
        yield
    finally:
        os.close(lock)


def give_to_owner(path: Path) -> None:
    """What root makes in the data directory is for whom that belongs to: else the service could not open it."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise LogError(f"{path} is damaged: {found}")


def _forget(path: Path) -> None:
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

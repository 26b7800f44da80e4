"""`backup` at `control.sock`: the running service copies its own log, or with Redis the archive, in a thread,
while people talk."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chatservice.domain.errors import Code, Refused
from chatservice.domain.ports import LogError
from chatservice.domain.promise import Promise, rejected
from chatservice.logs.archive_registry import NONE, file_of_archive
from chatservice.logs.backup import PARTIAL, back_up, give_to_owner
from chatservice.logs.registry import database_of

Fields = Mapping[str, Any]

DIRECTORY = "backup"


class Backups:
    """The command `backup`: answers with where the copy is, in the data directory, how big, and whether it is one
    of the archive: then the rest is in Redis.

    Under systemd a service may write nowhere else; whoever has asked takes the copy away from there.

    :param store: as in `--store`; so `archive`.
    :param call_from_thread: calls a function in the reactor's thread.
    """

    def __init__(
        self,
        store: str,
        data: Path,
        call_from_thread: Callable[[Callable[[], None]], object],
        archive: str = NONE,
    ) -> None:
        log = database_of(store, data)
        self._database = log or file_of_archive(archive, data)
        self._is_archive = log is None
        self._directory = data / DIRECTORY
        self._call_from_thread = call_from_thread
        self._is_busy = False

    def run(self, fields: Fields) -> Promise[Fields]:
        """Make one. Rejected with `Refused`: `unknown_type`, `not_available` without a file, `busy` meanwhile."""
        if fields.get("command") != "backup":
            name = str(fields.get("command"))[:32]
            return rejected(Refused(Code.UNKNOWN_TYPE, "unknown_type", params={"name": name}))
        if self._database is None:
            return rejected(Refused(Code.NOT_AVAILABLE, "no_backup"))
        if self._is_busy:
            return rejected(Refused(Code.BUSY))
        self._is_busy = True
        promise: Promise[Fields] = Promise()
        database = self._database
        # Not one of the reactor's threads, for which an end would wait; what is not finished has no name yet.
        threading.Thread(target=self._make, args=(database, promise), name="chat-backup", daemon=True).start()
        return promise

    def _make(self, database: Path, promise: Promise[Fields]) -> None:
        try:
            path, size = new_backup(database, self._directory, "archive" if self._is_archive else "chat")
        except BlockingIOError:
            self._call_from_thread(lambda: self._end(lambda: promise.reject(Refused(Code.BUSY))))
        except (LogError, OSError) as error:
            refusal = Refused(Code.INTERNAL, "backup_failed", params={"why": str(error)})
            self._call_from_thread(lambda: self._end(lambda: promise.reject(refusal)))
        else:
            told = {"path": str(path), "bytes": size, "archive": self._is_archive}
            self._call_from_thread(lambda: self._end(lambda: promise.resolve(told)))

    def _end(self, answer: Callable[[], None]) -> None:
        self._is_busy = False
        answer()


def new_backup(database: Path, directory: Path, name: str = "chat") -> tuple[Path, int]:
    """A copy under a name that says when, and its size in bytes.

    :param name: with what its name begins.
    :raises LogError: if there is none to be had.
    :raises BlockingIOError: if another worker makes one.
    :raises OSError: if the directory cannot be made.
    """
    # Whoever runs the service could have left a link there for root to follow.
    if directory.is_symlink():
        raise LogError(f"{directory} is a symbolic link; backups are not made through one")
    directory.mkdir(mode=0o700, exist_ok=True)
    give_to_owner(directory)
    # Several workers have one directory: what one is about to finish must not look cut off to another.
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in directory.glob(f"{name}-*.db{PARTIAL}"):  # by one that was cut off
            left.unlink()
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = directory / f"{name}-{moment}-{secrets.token_hex(2)}.db"
        return path, back_up(database, path)
    finally:
        os.close(lock)

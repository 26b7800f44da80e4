"""Copies of the database, made while it is written to, and put back."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import ANN, FakeClock, Ids, Pump, said
from property.test_erasure import SECRETS, words_in

from chatservice.backups import Backups, new_backup
from chatservice.domain.events import Deleted, Entry
from chatservice.domain.ports import LogError
from chatservice.domain.promise import Promise
from chatservice.logs.backup import PARTIAL, back_up, restore, without_writer
from chatservice.logs.sqlite import SQLiteLog


class Sink:
    """Nobody."""

    def committed(self, entry: Entry) -> None: ...

    def pruned(self, room: str, first: int) -> None: ...


class OpenLog:
    """A log that is written to."""

    def __init__(self, path: Path, ids: str = "epoch") -> None:
        self.pump = Pump()
        self.log = SQLiteLog(path, call_from_thread=self.pump, clock=FakeClock(), randomness=Ids(ids))
        self.log.start(Sink())

    def wait(self, promise: Promise[Any]) -> Any:
        return wait(self.pump, promise)

    def say(self, text: str) -> int:
        return self.wait(self.log.append("tea", said(text))).seq

    def texts(self) -> list[str]:
        page = self.wait(self.log.read("tea", 0, 1000))
        return [getattr(entry.body, "text", "") for entry in page.entries]


def wait(pump: Pump, promise: Promise[Any]) -> Any:
    """What came of it."""
    return pump.until(promise)


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[OpenLog]:
    (tmp_path / "data").mkdir()
    one = OpenLog(tmp_path / "data" / "chat.db")
    yield one
    one.log.stop()


def test_a_copy_while_people_talk(open_log: OpenLog, tmp_path: Path) -> None:
    """A copy made in the middle of writing holds everything up to one moment, is for its owner alone, and nothing
    is left beside it; the writer has not waited for it."""
    for number in range(200):
        open_log.say(f"before {number}")
    sizes: list[int] = []
    database, copy = tmp_path / "data" / "chat.db", tmp_path / "copy.db"
    copying = threading.Thread(target=lambda: sizes.append(back_up(database, copy)))
    copying.start()
    during = [open_log.say(f"during {number}") for number in range(200)]
    copying.join(20)
    assert during == list(range(201, 401))
    assert sizes == [copy.stat().st_size] and stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "data"]
    (tmp_path / "other").mkdir()
    restore(copy, tmp_path / "other" / "chat.db")
    other = OpenLog(tmp_path / "other" / "chat.db")
    texts = other.texts()
    assert texts == (open_log.texts())[: len(texts)] and len(texts) >= 200
    other.log.stop()


def test_erased_words_are_not_in_a_copy(open_log: OpenLog, tmp_path: Path) -> None:
    """What was deleted a moment ago is still in index, free pages and write-ahead log; it is not in a copy."""
    numbers = [open_log.say(f"{secret} {filler}") for secret in SECRETS for filler in ("", "x" * 3000)]
    open_log.wait(open_log.log.search(SECRETS[0], ["tea"], None, 5))  # all is indexed
    for seq in numbers:
        open_log.wait(open_log.log.append("tea", Deleted(ANN, seq), as_moderator=True))
    open_log.say("what remains")
    open_log.wait(open_log.log.search("remains", ["tea"], None, 5))
    assert words_in(tmp_path / "data"), "nothing was there to be erased"
    (tmp_path / "copies").mkdir()
    back_up(tmp_path / "data" / "chat.db", tmp_path / "copies" / "copy.db")
    assert words_in(tmp_path / "copies") == []
    with sqlite3.connect(tmp_path / "copies" / "copy.db") as connection:
        assert connection.execute("SELECT count(*) FROM found WHERE found MATCH 'remains'").fetchone() == (1,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_restored_log_begins_a_new_epoch(open_log: OpenLog, tmp_path: Path) -> None:
    """After a copy was put back, numbers go on where it ends, in another epoch, which names the old one."""
    for text in ("one", "two"):
        open_log.say(text)
    back_up(tmp_path / "data" / "chat.db", tmp_path / "copy.db")
    open_log.say("lost")
    before = open_log.wait(open_log.log.read("tea", 0, 10))
    open_log.log.stop()
    restore(tmp_path / "copy.db", tmp_path / "data" / "chat.db", force=True)
    again = OpenLog(tmp_path / "data" / "chat.db", "again")
    after = again.wait(again.log.read("tea", 0, 10))
    assert again.texts() == ["one", "two"] and again.say("three") == 3
    assert after.epoch != before.epoch and (before.epoch, 2) in after.forks
    again.log.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody else can give files away")
def test_root_leaves_nothing_of_its_own(open_log: OpenLog, tmp_path: Path) -> None:
    """What root puts into the data directory of another user is for that one: the service has to open it."""
    open_log.say("here")
    backup, _ = new_backup(tmp_path / "data" / "chat.db", tmp_path / "data" / "backup")
    other = tmp_path / "other"
    other.mkdir()
    os.chown(other, 12345, 12346)
    restore(backup, other / "chat.db")
    made, _ = new_backup(other / "chat.db", other / "backup")
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (other / "chat.db", made.parent)} == {
        (12345, 12346)
    }


def test_a_database_is_not_overwritten(open_log: OpenLog, tmp_path: Path) -> None:
    """Neither a copy nor a restored database takes the place of a file, unless that is said."""
    open_log.say("here")
    database, copy = tmp_path / "data" / "chat.db", tmp_path / "copy.db"
    copy.write_text("somebody's")
    with pytest.raises(LogError, match="is there already"):
        back_up(database, copy)
    assert copy.read_text() == "somebody's"
    back_up(database, tmp_path / "second.db")
    with pytest.raises(LogError, match="--force"):
        restore(tmp_path / "second.db", database)
    assert open_log.texts() == ["here"]


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _words(path: Path) -> None:
    path.write_text("no database at all, but quite a long text\n" * 200)


def _others(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()


def _damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    path.write_bytes(data)


@pytest.mark.parametrize("spoil", [_empty, _words, _others, _newer, _damaged])
def test_a_copy_that_cannot_be_used(open_log: OpenLog, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """What is empty, damaged, somebody else's or of a newer program is refused; the database stays as it is."""
    open_log.say("here")
    copy = tmp_path / "copy.db"
    if spoil in (_newer, _damaged):
        back_up(tmp_path / "data" / "chat.db", copy)
    spoil(copy)
    open_log.log.stop()
    with pytest.raises(LogError):
        restore(copy, tmp_path / "data" / "chat.db", force=True)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["chat.db"]
    again = OpenLog(tmp_path / "data" / "chat.db")
    assert again.texts() == ["here"]
    again.log.stop()


def test_a_full_disk_is_told(open_log: OpenLog, tmp_path: Path) -> None:
    """A place that cannot be written is a refusal that says why, and not the end of anything; one at a time."""
    open_log.say("here")
    pump = Pump()
    (tmp_path / "data" / "backup").write_text("in the way")
    backups = Backups("sqlite:", tmp_path / "data", pump)
    first, second = backups.run({"command": "backup"}), backups.run({"command": "backup"})
    assert second.error is not None and second.error.about == "busy"
    with pytest.raises(Exception, match="internal"):
        wait(pump, first)
    assert "File exists" in str(first.error.params)
    (tmp_path / "data" / "backup").unlink()
    told = wait(pump, backups.run({"command": "backup"}))
    assert Path(told["path"]).stat().st_size == told["bytes"] > 0


def test_two_workers_do_not_disturb_each_other(open_log: OpenLog, tmp_path: Path) -> None:
    """They have one data directory: what one is about to finish stays, and the other is told to come again."""
    open_log.say("here")
    first, second = Pump(), Pump()
    directory = tmp_path / "data" / "backup"
    directory.mkdir()
    partial = directory / f"chat-now.db{PARTIAL}"
    partial.write_text("soon whole")
    lock = os.open(directory, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # as the one that makes it has
    refused = Backups("sqlite:", tmp_path / "data", first).run({"command": "backup"})
    with pytest.raises(Exception, match="busy"):
        wait(first, refused)
    os.close(lock)
    assert partial.exists()
    wait(second, Backups("sqlite:", tmp_path / "data", second).run({"command": "backup"}))
    assert not partial.exists()


def test_an_archive_that_somebody_writes_to(tmp_path: Path) -> None:
    """Chats with data directories of their own may share one: the file is not taken from under their feet."""
    archive = tmp_path / "archive.db"
    with without_writer(archive), pytest.raises(LogError, match="stop all that share it"), without_writer(archive):
        pass
    with without_writer(archive):
        pass


def test_a_memory_log_has_no_file() -> None:
    """There is nothing to be copied where nothing is kept, and no other command."""
    backups = Backups("memory:", Path("/nowhere"), Pump())
    assert backups.run({"command": "backup"}).error is not None
    assert backups.run({"command": "restore"}).error is not None

"""Which logs there are: rows of name and place, loaded when named in `--store`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chatservice.domain.ports import Engine, Randomness
from chatservice.logs.note import Note, ignore

STORES: tuple[str, ...] = ("memory", "sqlite")
DURABILITIES: tuple[str, ...] = ("disk", "process")


class BadStore(ValueError):
    """`--store` names something we do not have; its text is one sentence for the operator."""


def open_log(
    store: str,
    data: Path,
    durability: str,
    *,
    call_soon: Callable[[Callable[[], None]], object],
    call_from_thread: Callable[[Callable[[], None]], object],
    clock: Callable[[], float],
    randomness: Randomness,
    note: Note = ignore,
) -> Engine:
    """The log that `store` names, not started yet.

    :param store: `memory:`, `sqlite:` (`chat.db` in the data directory) or `sqlite:PATH`.
    :param durability: `disk` or `process`; memory keeps nothing in any case.
    :param note: told how long its work takes, if it is any; see `Note`.
    :raises BadStore: for any other name.
    """
    name, rest = _named(store)
    if name == "memory":
        from chatservice.logs.memory import MemoryLog

        return MemoryLog(call_soon=call_soon, clock=clock, randomness=randomness)
    from chatservice.logs.sqlite import SQLiteLog

    return SQLiteLog(
        data / (rest or "chat.db"),
        durability=durability,
        call_from_thread=call_from_thread,
        clock=clock,
        randomness=randomness,
        note=note,
    )


def check_log(store: str, data: Path) -> None:
    """Look at the log that `store` names, open and close it: a broken one is found before the process goes into
    the background, where nobody hears it, and before anything is written to it.

    :raises BadStore: for any other name.
    :raises LogError: if it is damaged or cannot be opened.
    """
    name, rest = _named(store)
    if name == "sqlite":
        from chatservice.logs.soundness import check_whole
        from chatservice.logs.sqlite import open_database

        path = data / (rest or "chat.db")
        check_whole(path)
        open_database(path).close()


def database_of(store: str, data: Path) -> Path | None:
    """The file of the log that `store` names; None where there is none.

    :raises BadStore: for a name that we do not have.
    """
    name, rest = _named(store)
    return data / (rest or "chat.db") if name == "sqlite" else None


def _named(store: str) -> tuple[str, str]:
    name, _, rest = store.partition(":")
    if name not in STORES or (name == "memory" and rest):
        raise BadStore(f"--store {store}: there is memory: and sqlite:[PATH]")
    return name, rest

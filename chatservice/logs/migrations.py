"""The database's schema, brought up to date in numbered steps, each in a transaction of its own."""

from __future__ import annotations

import sqlite3
from importlib.resources import files

from chatservice.domain.ports import LogError
from chatservice.logs.search import indexed


def steps() -> list[tuple[int, str]]:
    """Every step as (version after it, SQL), in order."""
    found = [
        (int(file.name.split("-")[0]), file.read_text("utf-8"))
        for file in files("chatservice.logs").joinpath("schema").iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(found)


def upgrade(connection: sqlite3.Connection) -> None:
    """Run the steps the database has not had yet.

    :raises LogError: if a newer program made the database; nothing is changed then.
    """
    connection.create_function("chat_spaced", 2, indexed, deterministic=True)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    known = steps()
    if version > known[-1][0]:
        raise LogError(
            f"the database is of version {version}, this program knows {known[-1][0]}; use a newer chatservice"
        )
    for number, sql in known:
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")

"""The archive in PostgreSQL, for workers on several machines. The driver is psycopg 3 (extra `postgres`), in
threads."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from chatservice.domain.ports import LogError
from chatservice.logs.archive_folding import text_of
from chatservice.logs.archive_tables import Put, Stored, Tables, bounds_table
from chatservice.logs.archive_threads import Away, first_line
from chatservice.logs.libraries import need
from chatservice.logs.redis_codec import encode_record
from chatservice.logs.redis_reading import words_asked
from chatservice.logs.search import room_word, spaced

VERSION = 1
PATIENCE_S = 15
"""So long a statement may take; those who ask have gone by then."""

LONGEST_WORD = 255
"""Code points of a word that are indexed; PostgreSQL takes 2046 bytes (textsearch-limitations)."""

_WORDS = re.compile(r"\w+")

# The words stand in the table, each between spaces, and the index has them as they are: no parser of
# PostgreSQL's, no dictionary and no locale decides what a word is. It says which messages have all the words;
# `position` looks whether they are in the order that was asked for, so runs of one, two or n Chinese characters
# are found exactly.
SCHEMA = (
    "CREATE TABLE about (id text NOT NULL, version integer NOT NULL)",
    'CREATE TABLE room (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE,'
    " epoch text NOT NULL, top bigint NOT NULL, first bigint NOT NULL, ts bigint NOT NULL, forks text NOT NULL,"
    " rules text NOT NULL)",
    "CREATE TABLE entry (room bigint NOT NULL, seq bigint NOT NULL, epoch text NOT NULL, ts bigint NOT NULL,"
    " ref bigint, body bytea NOT NULL, PRIMARY KEY (room, seq))",
    "CREATE INDEX entry_ref ON entry (room, ref) WHERE ref IS NOT NULL",
    "CREATE TABLE message (room bigint NOT NULL, seq bigint NOT NULL, place bigint NOT NULL,"
    " record bytea NOT NULL,"
    ' words text COLLATE "C" NOT NULL, PRIMARY KEY (room, seq))',
    "CREATE INDEX message_words ON message USING gin (array_to_tsvector(string_to_array(btrim(words), ' ')))"
    " WITH (fastupdate = off)",
    "CREATE TABLE chore (name text PRIMARY KEY)",
)


class PostgresDialect:
    """See `Dialect`."""

    mark = "%s"
    for_update = " FOR UPDATE"

    def put(self, tables: Tables, rows: Sequence[Put]) -> None:
        """See `Dialect.put`."""
        tables.many(
            "INSERT INTO message (room, seq, place, record, words) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (room, seq) DO UPDATE SET record = excluded.record, words = excluded.words",
            [
                (room, seq, place, encode_record(record), indexed(room, text_of(record)))
                for room, seq, place, record, _ in rows
            ],
        )

    def drop(self, tables: Tables, room: int, rows: Sequence[tuple[int, str]]) -> None:
        """See `Dialect.drop`. The words go with the row."""

    def find(self, tables: Tables, query: str, below: Mapping[int, int], before: int, limit: int) -> list[Stored]:
        """See `Dialect.find`."""
        asked = words_asked(query)
        if not asked:
            return []
        runs = [" " + " ".join(cut(run.split())) + (" " if run.endswith(" ") else "") for run in asked]
        scope = " | ".join(f"'{room_word(room)}'" for room in below)
        return list(
            tables.run(
                f"{bounds_table(below)} SELECT message.room, seq, record, place FROM message"
                " JOIN bound ON bound.room = message.room AND seq < bound.below"
                " WHERE array_to_tsvector(string_to_array(btrim(words), ' ')) @@ ?::tsquery AND place < ?"
                f"{' AND position(? IN words) > 0' * len(runs)} ORDER BY place DESC LIMIT ?",
                *(f"({scope}) & {' & '.join(map(_lexemes, runs))}", before, *runs, limit),
            ).fetchall()
        )


def cut(words: Sequence[str]) -> list[str]:
    """Words as they are indexed."""
    return [word[:LONGEST_WORD] for word in words]


def indexed(room: int, text: str) -> str:
    """The words of a message, each between spaces, after one for its room."""
    # Folded last, as in `words_asked`: folding takes some letters apart into one and a mark, which is in no word.
    words = " ".join(_WORDS.findall(spaced(text))).casefold()
    return f" {room_word(room)} {' '.join(cut(words.split()))} "


def _lexemes(run: str) -> str:
    """All words of a run. They are letters, digits, `_` and marks, so nothing in them has to be escaped."""
    words = [f"'{word}'" for word in run.split()]
    return " & ".join(words) + ("" if run.endswith(" ") else ":*")


class PostgresEngine:
    """See `archive_store.Database`.

    :param url: `postgresql://…`, as libpq takes it; a password in it wins over `password`.
    :raises LogError: if psycopg is missing.
    """

    dialect = PostgresDialect()
    tidies_as_writer = False  # VACUUM may take its time; what is copied meanwhile must not wait

    def __init__(self, url: str, password: str = "") -> None:
        psycopg: Any = need("psycopg")
        self._psycopg = psycopg
        try:
            said = psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.Error as error:
            raise LogError("--archive: this is no address of a PostgreSQL") from error
        more = {"password": password} if password and not said.get("password") else {}
        usual = {
            "connect_timeout": "5",
            "application_name": "chatservice",
            "tcp_user_timeout": "10000",
            "client_encoding": "utf8",
        }
        self._said = {**usual, **said, **more}

    def __str__(self) -> str:
        where = [str(self._said.get(name, "")) for name in ("host", "port", "dbname")]
        return f"PostgreSQL at {where[0] or 'its socket'}{':' if where[1] else ''}{where[1]}/{where[2]}"

    def _connect(self, patience_s: int) -> Any:
        try:
            connection = self._psycopg.connect(**self._said, autocommit=True)
            connection.execute(f"SET statement_timeout = '{patience_s}s'")
            connection.execute("SET search_path = chatservice")
        except self._psycopg.Error as error:
            raise Away(first_line(error)) from error
        return connection

    def prepare(self) -> str:
        """Make what is missing; answers the archive's id."""
        try:
            with self._connect(PATIENCE_S) as connection, connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(hashtext('chatservice archive'))")
                connection.execute("CREATE SCHEMA IF NOT EXISTS chatservice")
                if connection.execute("SELECT to_regclass('chatservice.about')").fetchone()[0] is None:
                    for statement in SCHEMA:
                        connection.execute(statement)
                    connection.execute("INSERT INTO about VALUES (%s, %s)", (secrets.token_hex(8), VERSION))
                id, version = connection.execute("SELECT id, version FROM about").fetchone()
        except (Away, self._psycopg.Error) as error:
            raise LogError(f"cannot use the archive in {self}: {first_line(error)}") from error
        if version > VERSION:
            raise LogError(f"the archive in {self} is of version {version}; use a newer chatservice")
        return str(id)

    def writer(self) -> Any:
        """A connection that writes. Rows that were read are locked, so two of them do no harm."""
        return self._connect(2 * PATIENCE_S)

    def released(self) -> None:
        """Nothing is locked between two transactions."""

    def reader(self) -> Any:
        """One that changes nothing."""
        connection = self._connect(PATIENCE_S)
        connection.execute("SET default_transaction_read_only = on")
        return connection

    @contextmanager
    def transaction(self, connection: Any, *, writes: bool) -> Iterator[None]:
        """All or nothing."""
        with connection.transaction():
            if not writes:  # one question is one look, though it takes two statements
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield

    def is_lost(self, error: Exception) -> bool:
        """See `Pool`. What is wrong with a value is no loss: it would come again with the next connection. A
        database that may only be read for now, or whose rights are just being changed, is one."""
        sql = self._psycopg
        values = (sql.DataError, sql.IntegrityError, sql.errors.ProgramLimitExceeded)
        return isinstance(error, sql.Error | OSError) and not isinstance(error, values)

    def is_late(self, error: Exception) -> bool:
        """See `Pool`."""
        return isinstance(error, self._psycopg.errors.QueryCanceled)

    def interrupt(self, connection: Any) -> None:
        """See `Pool`."""
        try:
            connection.cancel_safe(timeout=PATIENCE_S)
        except self._psycopg.Error:
            return  # it is gone, and its statement with it

    def tidy(self, connection: Any) -> bool:
        """What was erased is gone from tables and index; its old versions in PostgreSQL's own log are for whoever
        looks after the server (docs/scaling.md)."""
        connection.execute("SET statement_timeout = 0")
        # `xmin` is the transaction that made the mark: what is erased meanwhile makes another one
        # (`Tables.note_erased`), and that one stays. Taken away before, it would be lost with this process.
        mark = connection.execute("SELECT xmin::text FROM chore WHERE name = 'purge'").fetchone()
        if mark is not None:
            connection.execute("VACUUM (INDEX_CLEANUP on) entry, message")
            connection.execute("DELETE FROM chore WHERE name = 'purge' AND xmin::text = %s", mark)
        return False

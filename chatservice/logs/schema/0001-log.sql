-- The log: rooms with their heads, the forks behind each head, and the entries.

CREATE TABLE room (
    id        INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    epoch     TEXT    NOT NULL,
    top       INTEGER NOT NULL,
    ts        INTEGER NOT NULL,
    opened_by TEXT    NOT NULL          -- the server identity of the last access: the fork fence
) STRICT;

CREATE TABLE fork (
    room  INTEGER NOT NULL REFERENCES room (id),
    n     INTEGER NOT NULL,             -- 1, 2, 3 … oldest first
    epoch TEXT    NOT NULL,
    last  INTEGER NOT NULL,             -- the last number of that epoch that survived it
    PRIMARY KEY (room, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    room    INTEGER NOT NULL REFERENCES room (id),
    seq     INTEGER NOT NULL,
    epoch   TEXT    NOT NULL,
    ts      INTEGER NOT NULL,           -- milliseconds since 1970
    user_id TEXT    NOT NULL,
    cid     TEXT,
    body    BLOB    NOT NULL,           -- chatservice/logs/codec.py
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX entry_cid ON entry (room, user_id, cid) WHERE cid IS NOT NULL;

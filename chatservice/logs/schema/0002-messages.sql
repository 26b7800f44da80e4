-- Messages in their final state beside the log of what happened, search, read marks, sessions to resume.

ALTER TABLE room ADD COLUMN first INTEGER NOT NULL DEFAULT 1;      -- the oldest number still kept
ALTER TABLE room ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';      -- chatservice/logs/codec.py

ALTER TABLE entry ADD COLUMN ref INTEGER;                          -- the message an edit or a deletion is about
CREATE INDEX entry_ref ON entry (room, ref) WHERE ref IS NOT NULL;

CREATE TABLE message (
    id      INTEGER PRIMARY KEY,
    room    INTEGER NOT NULL REFERENCES room (id),
    seq     INTEGER NOT NULL,
    ts      INTEGER NOT NULL,
    user_id TEXT    NOT NULL,
    nick    TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    rev     INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    extra   TEXT                        -- JSON: action, reply, mentions, meta; NULL for most
) STRICT;
CREATE UNIQUE INDEX message_seq ON message (room, seq);

CREATE TABLE reaction (
    room    INTEGER NOT NULL REFERENCES room (id),
    seq     INTEGER NOT NULL,
    emoji   TEXT    NOT NULL,
    user_id TEXT    NOT NULL,
    since   INTEGER NOT NULL,           -- the number of the entry that put it there
    PRIMARY KEY (room, seq, emoji, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mention (
    room    INTEGER NOT NULL REFERENCES room (id),
    user_id TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (room, user_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE mark (
    user_id TEXT    NOT NULL,
    room    TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (user_id, room)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    digest  BLOB    PRIMARY KEY,        -- SHA-256 of the secret; the secret itself is nowhere
    user_id TEXT    NOT NULL,
    nick    TEXT    NOT NULL,
    until   INTEGER NOT NULL            -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TABLE chore (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;  -- what must still be done after a crash

-- Contentless: the words are in `message` once. A space around each CJK character (chat_spaced) makes a phrase
-- query find two of them inside a sentence; `trigram` needs three.
CREATE VIRTUAL TABLE found USING fts5 (body, content = '', tokenize = 'unicode61 remove_diacritics 2');

INSERT INTO message (room, seq, ts, user_id, nick, text, extra)
    SELECT room, seq, ts, user_id, json_extract(CAST(body AS TEXT), '$.n'), json_extract(CAST(body AS TEXT), '$.t'),
           iif(json_extract(CAST(body AS TEXT), '$.a') = 1, '{"a":1}', NULL)
    FROM entry ORDER BY room, seq;
INSERT INTO found (rowid, body) SELECT id, chat_spaced(room, text) FROM message;

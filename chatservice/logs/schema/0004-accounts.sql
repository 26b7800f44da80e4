-- Who has an account, and how often invitations were used.

CREATE TABLE account (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    password   TEXT    NOT NULL,        -- argon2id in its PHC string form
    generation INTEGER NOT NULL,        -- tokens of an older one prove nothing
    created    INTEGER NOT NULL         -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE TABLE invite (
    id    TEXT    PRIMARY KEY,
    used  INTEGER NOT NULL,
    until INTEGER NOT NULL              -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

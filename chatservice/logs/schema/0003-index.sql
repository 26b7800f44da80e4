-- The index follows: messages up to this id are in it, those above are not yet.

CREATE TABLE indexed (upto INTEGER NOT NULL) STRICT;
INSERT INTO indexed SELECT coalesce(max(id), 0) FROM message;

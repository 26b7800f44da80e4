"""What copying to an archive costs: `python -m bench.archive sqlite:/tmp/a.db | postgresql://… [ENTRIES] [ROOMS]`.

Entries as Redis has them are stored in batches as the archiver stores them; a tenth of them are edits, reactions
and deletions. Printed are entries a second and the CPU of this process for each.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from chatservice.domain.commands import Position
from chatservice.domain.events import Body, Deleted, Edited, Reacted, Said, User
from chatservice.logs.archive import Copy
from chatservice.logs.archive_registry import database_of_archive
from chatservice.logs.archive_tables import Tables
from chatservice.logs.codec import encode

BATCH = 500
TEXT = "we restart the server tonight 今晚重启服务器 " * 4
ANN = User("u_bench", "bench")


def body(seq: int) -> Body:
    """Nine messages, then something about one of them."""
    if seq % 10:
        return Said(ANN, f"{TEXT}{seq}", cid=f"c{seq}")
    kind = seq // 10 % 3
    ref = seq - 5
    return (
        Edited(ANN, ref, "edited", 1)
        if kind == 0
        else Reacted(ANN, ref, "👍", True)
        if kind == 1
        else Deleted(ANN, ref)
    )


def main(said: str, entries: int, rooms: int) -> None:
    """Measure."""
    database = database_of_archive(said, Path.cwd())
    assert database is not None
    database.prepare()
    writer = database.writer()
    each = entries // rooms
    stored = [
        (seq, b"%d e %d %s" % (seq, time.time_ns() // 1000 + seq, encode(body(seq)))) for seq in range(1, each + 1)
    ]
    begun, cpu = time.perf_counter(), time.process_time()
    for at in range(0, each, BATCH):
        copies = [
            Copy(f"r{n}", Position("e", at) if at else None, "e", (), 1, "", stored[at : at + BATCH])
            for n in range(rooms)
        ]
        with database.transaction(writer, writes=True):
            assert len(Tables(writer, database.dialect).store(copies)) == rooms
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    n = each * rooms
    sys.stdout.write(f"{database}: {n / took:,.0f} entries/s, {cpu / n * 1e6:.1f} µs of CPU here each\n")
    writer.close()
    database.released()


if __name__ == "__main__":
    said, count, rooms, *_ = (*sys.argv[1:], *("sqlite:/tmp/archive.db", "20000", "4")[len(sys.argv) - 1 :])
    main(said, int(count), int(rooms))

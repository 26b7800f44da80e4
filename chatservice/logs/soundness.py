"""Is a database whole? Looked at before a program of ours writes to it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from urllib.parse import quote

from chatservice.domain.ports import LogError
from chatservice.logs.search import indexed

LOOK_S = 1.0
"""A look at all of a gigabyte takes some seconds, and people wait: what was not looked at by then is trusted."""


def check_whole(path: Path) -> None:
    """Look at the database without changing it; one that is not there yet is whole.

    A damaged one may serve for days until somebody asks for a damaged page; what is written meanwhile may be lost.

    :raises LogError: if something is wrong in it. It is left as it was.
    """
    if not path.exists() or not path.stat().st_size:
        return
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)
    enough = threading.Timer(LOOK_S, connection.interrupt)
    enough.daemon = True
    try:
        connection.create_function("chat_spaced", 2, indexed, deterministic=True)
        enough.start()
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return
        raise LogError(f"cannot open the database {path}: {error}") from error
    except sqlite3.Error as error:
        raise LogError(f"cannot open the database {path}: {error}") from error
    finally:
        enough.cancel()
        enough.join()  # a connection must not be interrupted any more once it is closed
        connection.close()
    if found != "ok":
        what = found.removeprefix("*** in database main ***").split("\n")
        first = next((line for line in what if line.strip()), "it is not whole")
        raise LogError(f"the database {path} is damaged and was left as it is; use a backup ({first})")

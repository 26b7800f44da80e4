"""The parent's own lines in the log: as `logbook` writes those of the workers, without what that needs."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any


class Notes:
    """Writes them.

    :param number: the descriptor they go to.
    :param is_json: as objects of JSON, else as words.
    """

    def __init__(self, number: int, *, is_json: bool) -> None:
        self.number = number
        self.is_json = is_json

    def note(self, level: str, event: str, words: str, **fields: Any) -> None:
        """One line.

        :param words: with fields in braces.
        """
        now, told = time.time(), words.format(**fields)
        if self.is_json:
            when = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            line = json.dumps({"ts": when, "level": level, "event": event, "msg": told, **fields})
        else:
            harmless = told.encode("unicode_escape").decode()
            line = f"{time.strftime('%H:%M:%S', time.localtime(now))} {level:<5} {harmless}"
        with suppress(OSError):  # nobody reads it any more, which is no reason to end the chat
            os.write(self.number, line.encode() + b"\n")

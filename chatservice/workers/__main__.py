"""What `chatservice run` and `twistd chat` become where there are several workers."""

from __future__ import annotations

import os
import sys

from chatservice.workers.parent import Parent
from chatservice.workers.plan import VARIABLE, Handed

if __name__ == "__main__":
    said = os.environ.pop(VARIABLE, "")
    if not said:
        sys.exit("chat: this is started by `chatservice run --workers N`")
    sys.exit(Parent(Handed.load(said), os.environ).run())

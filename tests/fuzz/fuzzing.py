"""Runs a fuzz target under atheris, for a bounded time, from its seeds; `make fuzz` does so with all.

A target takes any bytes and fails by raising what its parser does not say it raises. The same targets are run
without atheris, on a few hundred inputs, by test_targets.py.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

Target = Callable[[bytes], None]


def instrumented() -> AbstractContextManager[object]:
    """What is imported within tells atheris which branches it takes; without atheris it is just imported."""
    if os.path.basename(sys.argv[0]).startswith("atheris_"):
        import atheris

        return atheris.instrument_imports(include=["chatservice"])  # type: ignore[no-any-return]
    return nullcontext()


def fuzz(target: Target, seeds: Sequence[bytes]) -> None:
    """Run `target` until the options of libFuzzer on the command line say to stop."""
    import atheris

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds):
            (Path(corpus) / f"seed{number}").write_bytes(seed)
        atheris.Setup([*sys.argv, "-timeout=5", "-rss_limit_mb=1024", corpus], target)
        atheris.Fuzz()

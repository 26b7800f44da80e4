"""The targets of `make fuzz`, each for a moment and without atheris: its seeds, and noise around them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("atheris_*.py"))


def test_there_is_one_for_every_parser() -> None:
    """Each thing that a stranger can make us read has a target."""
    parsers = "emitters endpoints engineio extensions frames full handshake inflate line names socketio"
    assert [name.removeprefix("atheris_") for name in NAMES] == parsers.split()


@pytest.mark.parametrize("name", NAMES)
def test_seeds(name: str) -> None:
    """What is fuzzed from is read without a fault, whole and cut anywhere."""
    module: Any = import_module(name)
    for seed in module.SEEDS:
        for cut in range(0, len(seed) + 1, 1 + len(seed) // 40):
            module.target(seed[:cut])
        module.target(seed)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_noise(name: str, data: st.DataObject) -> None:
    """Seeds with other bytes in them, and bytes that are no seed at all, are no fault of ours either."""
    module: Any = import_module(name)
    seed = data.draw(st.sampled_from(module.SEEDS) | st.binary(max_size=60))
    at = data.draw(st.integers(0, len(seed)))
    module.target(seed[:at] + data.draw(st.binary(max_size=20)) + seed[at + data.draw(st.integers(0, 9)) :])

"""Log lines: what a terminal would obey is harmless in them, and levels hold."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from chatservice.logbook import Threshold, neutral, observer


def written(form: str, threshold: Threshold | None = None) -> tuple[Logger, io.StringIO]:
    """A logger, and where its lines go."""
    out = io.StringIO()
    return Logger("test", observer=LogPublisher(observer(form, threshold or Threshold(), out))), out


@given(st.text(st.characters(exclude_categories=())))
def test_neutral(text: str) -> None:
    """No control, no line break, nothing that turns the direction of writing is left; plain words stay."""
    shown = neutral(text)
    assert not [c for c in shown if c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029\u202e\u2066"]
    assert neutral("上海 café 👍") == "上海 café 👍"
    shown.encode()


@pytest.mark.parametrize("form", ["human", "json"])
def test_terminal_escapes(form: str) -> None:
    """They are spelled out, in words and in fields."""
    log, out = written(form)
    log.info("from {where}", event="arrived", where="\x1b[31mred\n\u202e")
    line = out.getvalue()
    assert line.count("\n") == 1 and "\x1b" not in line and "\u202e" not in line
    if form == "json":
        found = json.loads(line)
        assert (found["event"], found["level"], found["where"]) == ("arrived", "info", "\\x1b[31mred\\n\\u202e")
        assert found["msg"] == "from \\x1b[31mred\\n\\u202e"


def test_levels_change_while_it_runs() -> None:
    """What matters less is left out, from the moment on at which that is said."""
    threshold = Threshold("warn")
    log, out = written("json", threshold)
    log.info("one", event="one")
    log.warn("two", event="two")
    threshold.set("debug")
    log.debug("three", event="three")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["two", "three"]


def test_a_failure() -> None:
    """It has its words and its traceback, on one line of JSON."""
    log, out = written("json")
    log.failure("", Failure(ValueError("so bad\x1b")))
    found = json.loads(out.getvalue())
    assert found["level"] == "error" and "so bad" in found["msg"] and "ValueError" in found["traceback"]
    assert "\x1b" not in out.getvalue()


def test_nobody_reads() -> None:
    """A log that is closed ends nothing."""
    log, out = written("human")
    out.close()
    log.info("into the void")


def test_auto() -> None:
    """Without a terminal it is JSON."""
    log, out = written("auto")
    log.info("hello")
    assert json.loads(out.getvalue())["event"] == "library"

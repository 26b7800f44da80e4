"""Every code that a peer may see stands in the reference, and none besides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatservice.client import link
from chatservice.client.core import STAY_AWAY
from chatservice.domain import errors
from chatservice.domain.errors import TEMPORARY, Code, Disconnect
from chatservice.domain.presence import COMINGS
from chatservice.domain.rates import RATES
from chatservice.transports.api import STATUS
from chatservice.transports.api_events import EXPORT_COST

WIRE = Path(__file__).parents[2] / "docs" / "wire"
PAGE = (WIRE / "README.md").read_text("utf-8").partition("\n## Codes\n")[2]
ENDS = [value for value in vars(errors).values() if isinstance(value, Disconnect)]
BELOW = {1002, 1007, 1008, 1009}
"""Close codes that the WebSocket layer sends by itself."""


def test_error_codes() -> None:
    """The table has every error code in its order, and marks those that are temporary."""
    rows = re.findall(r"^\| `(\w+)` \| (✓?) ?\|", PAGE, re.M)
    assert rows == [(code.value, "✓" if code in TEMPORARY else "") for code in Code]


def test_close_codes() -> None:
    """The table has every close code, chat.v1's beside the others'."""
    rows = re.findall(r"^\| ([\d–]+) \| ([\d–]+) \|", PAGE, re.M)
    own = {int(code) for code, _ in rows if code != "–"}
    others = {int(code) for _, code in rows if code != "–"}
    assert own == {end.own_code for end in ENDS if end.own_code} | BELOW
    assert others == {end.close_code for end in ENDS} | BELOW
    pairs = {(end.own_code, end.close_code) for end in ENDS}
    assert {(int(a), int(b)) for a, b in rows if "–" not in (a, b)} - {(code, code) for code in BELOW} <= pairs


@pytest.mark.parametrize("end", [end for end in ENDS if end.own_code], ids=lambda end: end.name)
def test_who_shall_come_back(end: Disconnect) -> None:
    """Our close codes say by their range what the client core does with them."""
    assert 4000 <= end.own_code < 5000
    if end.own_code in STAY_AWAY:
        assert not end.reconnect


def test_http_statuses() -> None:
    """In http.md each error code stands beside the status it comes with."""
    page = (WIRE / "http.md").read_text("utf-8")
    told = [
        (Code(code), [int(status) for status in statuses.split(", ")])
        for statuses, words in re.findall(r"^\| (\d+(?:, \d+)*) \| (.*) \|$", page, re.M)
        for code in re.findall(r"`([a-z_]+)`", words)
    ]
    assert len(told) > 10
    assert [code for code, statuses in told if STATUS[code] not in statuses] == []


def test_the_clients_backoff() -> None:
    """chat.v1.md tells the same numbers that the client core uses."""
    page = " ".join((WIRE / "chat.v1.md").read_text("utf-8").split())
    least, first, most = (link.BACKOFF_LEAST_S, link.BACKOFF_FIRST_S, link.BACKOFF_MOST_S)
    assert (
        f"after {least * 1000:.0f} ms and a random part of min({most:.0f} s, {first * 1000:.0f} ms · 2ⁿ)" in page
    )
    assert f"begins anew after {link.STABLE_S:.0f} s up" in page


def test_rates() -> None:
    """The table of rates is the one that holds; so is what is said about exports, and about comings and goings."""
    page = " ".join((WIRE / "README.md").read_text("utf-8").split())
    rows = re.findall(r"\| `(\w+)` \| [^|]+ \| (\d+) \| ([\d.]+) \|", page)
    assert {kind: (int(burst), float(per_s)) for kind, burst, per_s in rows} == {
        kind.value: (rate.burst, rate.per_s) for kind, rate in RATES.items()
    }
    assert f"(export: {EXPORT_COST})" in page
    assert (
        f"More than {COMINGS.burst} comings and goings in a room at once, or {COMINGS.per_s:.0f} a second" in page
    )

"""`/admin/` of one of several workers: all of them are there, a row each, and their sums."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from socket import gethostname
from typing import Any

import orjson
import pytest

from chatservice.domain.board import Pinned
from chatservice.domain.errors import Code, Refused
from chatservice.domain.promise import Promise
from chatservice.transports.admin_live import EVERY_S
from chatservice.transports.admin_workers import KNOWN_S, read_sheet
from chatservice.transports.figures import LOOK_S, RATE_S, pin_figures
from wire.house import House
from wire.people import LinePerson, TextPerson
from wire.test_admin import MEMBER, MOD, OWNER, Onlooker, ask, state

Row = dict[str, Any]


class FakeBoard:
    """A board that answers when it is told.

    :ivar sheet: what is pinned of us.
    """

    def __init__(self) -> None:
        self.sheet: Callable[[], bytes] = bytes
        self.asked: list[Promise[Sequence[Pinned]]] = []
        self.always: Sequence[Pinned] | None = None

    def keep(self, sheet: Callable[[], bytes]) -> None:
        """See `Board.keep`."""
        self.sheet = sheet

    def read(self) -> Promise[Sequence[Pinned]]:
        """See `Board.read`."""
        promise: Promise[Sequence[Pinned]] = Promise()
        self.asked.append(promise)
        if self.always is not None:
            self.answer(*self.always)
        return promise

    def answer(self, *pinned: Pinned) -> None:
        """To the oldest question."""
        self.asked.pop(0).resolve(pinned)

    def refuse(self) -> None:
        """The oldest question: what all share is away."""
        self.asked.pop(0).reject(Refused(Code.UNAVAILABLE))


def pinned(
    worker: str, *, lives: bool = True, age_s: float = 1.0, is_ours: bool = False, **figures: Any
) -> Pinned:
    """The sheet of a worker with ten connections."""
    rows = [
        {"dialect": "chat.v1", "n": 8, "waiting": 100, "most": 60, "lagging": 1},
        {"dialect": "echo", "n": 2, "waiting": 0, "most": 0, "lagging": 0},
    ]
    plain = {"connections": 10, "by_dialect": rows, "people": 7, "rooms": 3, "written": 50, "memory": 1000}
    rest = {"refused": 2, "per_s": 1.5, "lag_ms": 9.0, "up_s": 60}
    sheet = {"worker": worker, "host": gethostname(), "pid": 7, **plain, **rest, **figures}
    return Pinned(f"id of {worker}", is_ours, lives, age_s, orjson.dumps(sheet))


@pytest.fixture
def board() -> FakeBoard:
    """The board of the house."""
    return FakeBoard()


@pytest.fixture
def house(board: FakeBoard) -> House:
    """A worker."""
    house = House(signed=True)
    for account in (OWNER, MOD, MEMBER):
        house.hub.registered(account)
    house.around.desk.board, house.around.desk.worker = board, "w1-1"
    return house


def rows_of(told: Row) -> dict[str, Row]:
    """The workers by their names."""
    return {row["worker"]: row for row in told["workers"]}


def test_one_process() -> None:
    """Where there is one process nothing is told of workers."""
    house = House(signed=True)
    house.hub.registered(OWNER)
    assert not {"workers", "all"} & state(house).keys()


def test_all_workers(house: House, board: FakeBoard) -> None:
    """A row each, in the order of their names, whoever answers; what is told of the one that answers is how it
    stands now, not what it has pinned. Their sums are those of all that live."""
    LinePerson(house)
    board.always = [pinned("w10-1"), pinned("w2-1", age_s=4.2), pinned("w1-1", is_ours=True)]
    told = state(house)
    assert [row["worker"] for row in told["workers"]] == ["w1-1", "w2-1", "w10-1"]
    rows = rows_of(told)
    assert (rows["w1-1"]["state"], rows["w2-1"]["state"]) == ("here", "lives")
    assert rows["w1-1"]["people"] == 1 and rows["w2-1"]["people"] == 7 and rows["w2-1"]["age_s"] == 4.2
    assert rows["w2-1"]["waiting"] == 100 and rows["w2-1"]["lagging"] == 1
    every = told["all"]
    assert every["workers"] == 3 and every["people"] == 15 and every["written"] == 100 and every["refused"] == 4
    assert every["connections"] == 20 + rows["w1-1"]["connections"]
    assert every["per_s"] == 3.0 and every["lag_ms"] == 9.0 and every["memory"] > 1_000_000
    assert every["by_dialect"] == [
        {"dialect": "chat.v1", "n": 16, "waiting": 200, "most": 60, "lagging": 2},
        {"dialect": "echo", "n": 4, "waiting": 0, "most": 0, "lagging": 0},
        {"dialect": "line", "n": 1, "waiting": 0, "most": 0, "lagging": 0},
    ]


def test_one_that_died(house: House, board: FakeBoard) -> None:
    """It is shown, last, with the time since it was heard of; nothing of it is counted."""
    board.always = [pinned("w0-1", lives=False, age_s=40.0)]
    told = state(house)
    assert [(row["worker"], row["state"]) for row in told["workers"]] == [("w1-1", "here"), ("w0-1", "gone")]
    assert told["workers"][1]["age_s"] == 40.0
    assert told["all"]["workers"] == 1 and told["all"]["people"] == 0


def test_what_all_share_is_away(house: House, board: FakeBoard) -> None:
    """The others are told as they were, older and older; when a lease could be over nobody knows whether they
    live, and they are not counted. When the board answers again all is as it was."""
    one = Onlooker(house)
    board.answer(pinned("w2-1"))
    one.told()

    def look() -> Row:
        house.wait(EVERY_S)
        board.refuse()
        told: Row = one.told()[-1][1]
        return told

    told = look()
    assert told["all"]["as_of_s"] == EVERY_S and rows_of(told)["w2-1"]["age_s"] == 1.0 + EVERY_S
    assert told["all"]["workers"] == 2
    while told["all"]["as_of_s"] <= KNOWN_S:
        assert rows_of(told)["w2-1"]["state"] == "lives"
        told = look()
    assert rows_of(told)["w2-1"]["state"] == "unknown" and told["all"]["workers"] == 1
    house.wait(EVERY_S)
    board.answer(pinned("w2-1"))
    assert one.told()[-1][1]["all"]["workers"] == 2 and house.troubles == []


def test_looking_on(house: House, board: FakeBoard) -> None:
    """Who one is is told at once, how all stand when the board has answered. A board that does not answer makes
    nobody wait for the next round."""
    one = Onlooker(house)
    assert [name for name, _ in one.told()] == ["about"]
    house.wait(EVERY_S)
    assert [told["all"]["as_of_s"] for _, told in one.told()] == [None] and len(board.asked) == 1
    board.answer(pinned("w2-1"))
    ((_, told),) = one.told()
    assert told["all"]["workers"] == 2 and told["all"]["as_of_s"] == 0.0


def test_a_script_waits(house: House, board: FakeBoard) -> None:
    """`GET /admin/api/state` is answered when the board has; who may not look is not kept waiting for that."""
    assert ask(house, "/admin/api/state", MEMBER).status == 403 and board.asked == []
    board.always = [pinned("w2-1")]
    assert state(house, MOD)["all"]["workers"] == 2


def test_a_board_that_is_broken(house: House, board: FakeBoard) -> None:
    """An error of ours is reported, and the page is told what is known without it."""
    one = Onlooker(house)
    one.told()
    error = ValueError("what?")
    board.asked.pop(0).reject(error)
    assert one.told()[0][1]["all"]["workers"] == 1 and house.troubles == [error]
    house.troubles.clear()


@pytest.mark.parametrize(
    "sheet",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b"{}",
        b'{"by_dialect":7,"pid":"x","host":3,"people":true}',
        b'{"by_dialect":[7]}',
    ],
)
def test_sheets_of_others(house: House, board: FakeBoard, sheet: bytes) -> None:
    """Whatever another version may have pinned is a row of which not all is known, and spoils no sum."""
    board.always = [Pinned("n", False, True, 1.0, sheet)]
    told = state(house)
    assert told["all"]["workers"] == 2 and told["all"]["people"] == 0
    row = next(row for row in told["workers"] if row["state"] == "lives")
    assert row["people"] is None and row["by_dialect"] == [] and row["waiting"] == 0


def test_long_words() -> None:
    """What stands on a sheet is cut to a length."""
    row = read_sheet(orjson.dumps({"worker": "w" * 1000, "by_dialect": [{"dialect": "d" * 1000, "n": "many"}]}))
    assert len(row["worker"]) == len(row["by_dialect"][0]["dialect"]) == 100 and row["by_dialect"][0]["n"] == 0


def test_what_is_pinned(house: House, board: FakeBoard) -> None:
    """Who we are, what is connected, how fast people talk here, how late the loop was since the last time; less
    than a kilobyte. When we stop nothing goes on looking."""
    pin_figures(house.around, board)
    ann = TextPerson(house, nick="Ann")
    LinePerson(house)
    first = json.loads(board.sheet())
    assert first["worker"] == "w1-1" and first["host"] and first["pid"] > 1 and first["lag_ms"] == 0.0
    assert first["connections"] == first["people"] == 2 and first["rooms"] == 1 and first["per_s"] == 0.0
    assert {row["dialect"]: row["n"] for row in first["by_dialect"]} == {"text": 1, "line": 1}
    for _ in range(int(RATE_S)):
        ann.say("hi")
    for _ in range(10):
        house.clock.advance(LOOK_S)
    house.clock.advance(LOOK_S + 0.25)
    second = json.loads(board.sheet())
    assert second["per_s"] == round(10 / 5.75, 2) and second["written"] == 10
    assert second["lag_ms"] == 250.0 and len(board.sheet()) < 1000
    assert json.loads(board.sheet())["lag_ms"] == 0.0
    house.around.desk.close()
    house.wait(2)
    assert [call for call in house.clock.getDelayedCalls() if "Pulse" in str(call)] == []

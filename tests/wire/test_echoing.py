"""What comes straight back: as long as it may be, as fast as it is read, and no faster."""

from __future__ import annotations

import pytest

from chatservice.domain.errors import RESTART
from chatservice.domain.limits import ECHO, ECHO_BYTES, FRAME_BYTES
from chatservice.transports.sendqueue import SLICE_BYTES
from chatservice.transports.surroundings import MESSAGE_S, STUCK_S
from wire.house import House, close_frame, frame
from wire.people import WebSocketPerson

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
SLOW = (1008, "you read too slowly")


@pytest.fixture
def roomy() -> House:
    """A house with `--echo-max` at its most."""
    return House(echo_bytes=ECHO_BYTES)


def deaf(house: House, path: str = "/echo") -> WebSocketPerson:
    """Somebody whose transport is full."""
    one = WebSocketPerson(house, path)
    one.frames()
    one.transport.producer.pauseProducing()
    return one


def is_read(one: WebSocketPerson) -> bool:
    """Whether we read from it."""
    return bool(one.transport.producerState == "producing")


def feed_if_read(one: WebSocketPerson, data: bytes) -> bool:
    """As a real transport does it: nothing comes from one that is not read."""
    if is_read(one):
        one.feed(data)
        return True
    return False


def choke(one: WebSocketPerson) -> None:
    """From now on each write fills the transport."""
    write = one.transport.write

    def filling(data: bytes) -> None:
        write(data)
        if one.transport.producer is not None:
            one.transport.producer.pauseProducing()

    one.transport.write = filling  # type: ignore[method-assign]


@pytest.mark.parametrize("size", [FRAME_BYTES, 1_000_000, ECHO_BYTES])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_as_long_as_the_operator_says(size: int, opcode: int) -> None:
    """A message of `--echo-max` bytes comes back, in one frame and in many; one byte more closes with 1009."""
    house = House(echo_bytes=size)
    one, half = WebSocketPerson(house, "/echo"), size // 2
    one.feed(frame(b"x" * size, opcode))
    assert one.frames() == [(opcode, b"x" * size)]
    one.feed(frame(b"x" * half, opcode, fin=False) + frame(b"x" * (size - half), 0))
    assert one.frames() == [(opcode, b"x" * size)]
    one.feed(frame(b"x" * half, opcode, fin=False) + frame(b"x" * (size - half + 1), 0))
    one.frames()
    assert one.closed is not None and one.closed[0] == 1009


@pytest.mark.parametrize("path", ["/", "/text", "/scream", "/v1"])
def test_it_is_for_echo_alone(roomy: House, path: str) -> None:
    """What the operator allows on `/echo` is allowed nowhere else."""
    one = WebSocketPerson(roomy, path)
    one.feed(frame(b"x" * (FRAME_BYTES + 1)))
    one.frames()
    assert one.closed is not None and one.closed[0] == 1009


@pytest.mark.parametrize("data", [frame(b"x" * 60_000, BINARY), frame("x" * 60_000), frame(b"x" * 125, PING)])
def test_who_does_not_read_is_not_read_from(house: House, data: bytes) -> None:
    """As soon as one echo or pong waits nothing more is read, so nothing more is kept; after 30 s it is closed."""
    one = deaf(house)
    assert [feed_if_read(one, data) for _ in range(5)] == [True, False, False, False, False]
    assert one.transport.producer.waiting_bytes < len(data)
    house.wait(STUCK_S - 1)
    assert one.frames() == []
    house.wait(1)
    one.frames()
    assert one.closed == SLOW
    assert is_read(one), "or its answer to our close frame would not be seen"
    one.feed(close_frame(1008))
    assert one.transport.disconnecting


def test_who_reads_late_loses_nothing(house: House) -> None:
    """What was not read is read later, in order: what waited here, and what waited in the peer's own buffers."""
    one = deaf(house)
    one.feed(b"".join(frame(b"%d" % number, BINARY) for number in range(100)))
    assert one.frames() == [] and not is_read(one)
    house.wait(20)
    one.transport.producer.resumeProducing()
    house.pump.run()
    assert is_read(one)
    assert one.frames() == [(BINARY, b"%d" % number) for number in range(100)]
    house.wait(STUCK_S)
    assert one.closed is None


def test_what_has_come_waits_with_us(house: House) -> None:
    """Behind the first answer that is not read, frames that have come already are not even looked at."""
    one = deaf(house)
    one.feed(frame(b"a", BINARY) + frame("never looked at", 3) + close_frame(1000))
    house.wait(5)
    one.transport.producer.resumeProducing()
    house.pump.run()
    assert one.frames()[0] == (BINARY, b"a")
    assert one.closed is not None and one.closed[0] == 1002


def test_who_reads_slowly_is_waited_for(roomy: House) -> None:
    """Sixteen megabytes to one who takes a slice every 29 s: it is alive, however long it takes, and gets all."""
    one = WebSocketPerson(roomy, "/echo")
    payload = bytes(range(256)) * (ECHO_BYTES // 256)
    choke(one)
    one.feed(frame(payload, BINARY))
    taken, slices = len(one.transport.value()), 1
    assert 0 < taken <= SLICE_BYTES
    while not is_read(one):
        roomy.wait(STUCK_S - 1)
        one.transport.producer.resumeProducing()
        slices += 1
        assert len(one.transport.value()) - taken <= SLICE_BYTES
        taken = len(one.transport.value())
    roomy.pump.run()
    assert slices > ECHO_BYTES // SLICE_BYTES
    assert [got for opcode, got in one.frames() if opcode == BINARY] == [payload]
    assert one.closed is None


@pytest.mark.parametrize("how", ["restart", "deaf"])
def test_an_end_in_the_middle_of_a_frame(roomy: House, how: str) -> None:
    """The close frame does not come before the end of a frame that was begun; what was not begun is not sent."""
    one = WebSocketPerson(roomy, "/echo")
    choke(one)
    one.feed(frame("x" * 50_000) + frame(b"y" * 1_000_000, BINARY) + frame(b"z" * 1_000_000, BINARY))
    assert not is_read(one)
    if how == "restart":
        roomy.chat.close_peers(RESTART)
    else:
        roomy.wait(STUCK_S)
    frames = one.frames()
    assert [payload[:1] for opcode, payload in frames if opcode in (TEXT, BINARY)] == [b"x", b"y"]
    assert one.closed is not None and one.closed[0] == (1012 if how == "restart" else 1008)


def test_the_pace_of_an_echo(roomy: House) -> None:
    """Who has had more than 64 MiB echoed is not read for a second or two, and then goes on as before."""
    one, data = WebSocketPerson(roomy, "/echo"), frame(b"x" * 1_000_000, BINARY)
    count = 0
    while is_read(one):
        one.feed(data)
        count += len(one.frames())
    assert ECHO.burst < count * 1_000_000 < ECHO.burst + 3_000_000
    roomy.wait(2)
    assert is_read(one)
    for _ in range(30):
        assert feed_if_read(one, data)
    assert len(one.frames()) == 30 and one.closed is None


def test_without_limits_there_is_no_pace() -> None:
    """`--insecure-no-limits` lifts it."""
    house = House(echo_bytes=ECHO_BYTES, limited=False)
    one, data = WebSocketPerson(house, "/echo"), frame(b"x" * 4_000_000, BINARY)
    for _ in range(2 * ECHO.burst // 4_000_000):
        one.feed(data)
        assert is_read(one) and len(one.frames()) == 1


def test_any_number_of_fragments(roomy: House) -> None:
    """An echo is bounded by bytes, not by fragments; the chat is bounded by both (see test_wire_rows)."""
    one = WebSocketPerson(roomy, "/echo")
    one.feed(frame("", fin=False) + frame("x", 0, fin=False) * 5000 + frame("", 0))
    assert one.frames() == [(TEXT, b"x" * 5000)]


@pytest.mark.parametrize("path", ["/echo", "/text"])
def test_a_message_that_does_not_end(house: House, path: str) -> None:
    """Pings and dripping pieces do not save a message that has 30 s and does not end: 1008."""
    one = WebSocketPerson(house, path)
    one.feed(frame("begin", fin=False))
    one.frames()
    for _ in range(round(MESSAGE_S) - 1):
        house.wait(1)
        one.feed(frame(b"", PING) + frame("x", 0, fin=False))
    assert one.closed is None
    house.wait(1)
    one.frames()
    assert one.closed == (1008, "this message does not end")


def test_a_long_message_on_a_slow_line(roomy: House) -> None:
    """A message has 30 s for each 64 KiB: two megabytes may take a quarter of an hour."""
    one = WebSocketPerson(roomy, "/echo")
    data = frame(bytes(2_000_000), BINARY)
    for at in range(0, len(data), FRAME_BYTES + 1):
        one.feed(data[at : at + FRAME_BYTES + 1])
        roomy.wait(MESSAGE_S - 1)
        one.frames()
    assert one.closed is None


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_pieces_of_one_message_after_the_other(house: House, cut: int) -> None:
    """Each message has its own time, also where every packet ends in the middle of one."""
    one, message = WebSocketPerson(house, "/text"), frame("a text of some length")
    one.feed(message[:cut])
    for _ in range(40):
        house.wait(1)
        one.feed(message[cut:] + message[:cut])
    one.frames()
    assert one.closed is None
    house.wait(MESSAGE_S)
    one.frames()
    assert one.closed == (1008, "this message does not end")


def test_deadlines_cost_one_place_each(house: House) -> None:
    """However many messages begin and end, and echoes wait and are read: the queues of deadlines stay short."""
    one = WebSocketPerson(house, "/echo")
    message = frame(b"x" * 1000, BINARY)
    for _ in range(1000):
        one.feed(message[:3])
        one.transport.producer.pauseProducing()
        one.feed(message[3:])
        one.transport.producer.resumeProducing()
        house.pump.run()
    assert len(one.frames()) == 1000
    assert len(house.around.messages._heap) <= 1 and len(house.around.stuck._heap) <= 1
    one.leave()
    assert len(house.around.messages) == len(house.around.stuck) == 0

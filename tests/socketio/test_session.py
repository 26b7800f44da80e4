"""The state machine of an Engine.IO session, without a reactor."""

from __future__ import annotations

import pytest

from chatservice.socketio.errors import BadPacket
from chatservice.socketio.outgoing import Outgoing

from .fakes import Engine, FakePoll, FakeWire


def test_gathers_a_turn() -> None:
    """What is sent within one turn is one answer, and one write on a WebSocket."""
    engine = Engine()
    session, _ = engine.polling()
    poll = FakePoll()
    session.poll(poll)
    session.send("a")
    session.send("b")
    assert poll.body is None
    engine.turn()
    assert poll.body == b"4a\x1e4b"
    carried, _, wire = engine.websocket()
    carried.send("a")
    carried.send(b"b")
    assert wire.frames == []
    engine.turn()
    assert wire.frames == ["4a", b"b"]


def test_one_packet_for_many() -> None:
    """A packet that many get is encoded once, and joined once for those who get the same."""
    engine = Engine()
    sessions = [engine.websocket() for _ in range(3)]
    first, second = Outgoing(b"4a"), Outgoing(b"4b")
    written: list[bytes] = []
    for session, _, wire in sessions:
        wire.write = written.append  # type: ignore[method-assign]
        session.push(first)
    for session, _, _ in sessions:
        session.push(second)
    engine.turn()
    assert written[0] is written[1] is written[2]


def test_polls_overlap() -> None:
    """Of two GETs the first is told to close, the second refused; the session is gone."""
    engine = Engine()
    session, heard = engine.polling()
    first = FakePoll()
    session.poll(first)
    assert not session.poll(FakePoll())
    assert first.body == b"1"
    assert heard.ends == ["transport error"]
    assert engine.house.find(session.sid) is None


def test_lost_poll() -> None:
    """A GET given up ends the session at once; one that was answered before does not."""
    engine = Engine()
    session, heard = engine.polling()
    old, new = FakePoll(), FakePoll()
    session.send("x")
    session.poll(old)
    session.poll_lost(old)
    assert heard.ends == []
    session.poll(new)
    session.poll_lost(new)
    assert heard.ends == ["transport close"]
    assert engine.house.sessions == {}


def test_server_closes_while_polled() -> None:
    """A GET that waits gets the rest and the close."""
    engine = Engine()
    session, heard = engine.polling()
    poll = FakePoll()
    session.poll(poll)
    session.send("bye")
    session.close()
    assert poll.body == b"4bye\x1e1"
    assert heard.ends == ["forced close"]
    assert engine.house.sessions == {}


def test_server_closes_between_polls() -> None:
    """Without a GET the close waits for the next one; POSTs are refused meanwhile."""
    engine = Engine()
    session, heard = engine.polling()
    session.close()
    assert heard.ends == ["forced close"]
    with pytest.raises(BadPacket):
        session.post([("4", "x")])
    assert heard.messages == []
    poll = FakePoll()
    found = engine.house.find(session.sid)
    assert found is session
    session.poll(poll)
    assert poll.body == b"1"
    assert engine.house.find(session.sid) is None


def test_nobody_fetches_the_close() -> None:
    """It is not kept for ever, and then nothing is left, not even the ticking."""
    engine = Engine(linger_s=1.0)
    session, _ = engine.polling()
    session.close()
    engine.pass_time(1.1)
    assert engine.house.sessions == {}
    engine.pass_time(1.0)
    assert engine.clock.getDelayedCalls() == []


def test_abandoned_session_costs_nothing() -> None:
    """Who never comes back is forgotten after the deadline with all that waits for it, and the ticking stops."""
    engine = Engine()
    for version in (3, 4):
        session, heard = engine.polling(version)
        session.send("x")
        engine.pass_time(0.6)
        assert heard.ends == ["ping timeout"]
        assert engine.house.sessions == {} and session.waiting_bytes == 0
    engine.pass_time(1.0)
    assert engine.clock.getDelayedCalls() == []


def test_overdue_before_the_tick() -> None:
    """Whoever asks for a session whose time is up gets none, though the tick has not come."""
    for version in (3, 4):
        engine = Engine()
        session, heard = engine.polling(version)
        engine.pass_time(0.49)
        assert engine.house.find(session.sid) is session
        engine.house._ticking.stop()
        engine.clock.advance(0.02)
        assert engine.house.find(session.sid) is None
        assert heard.ends == ["ping timeout"]


def test_late_pong() -> None:
    """A pong after the deadline is too late even if the tick is later still; one before it is not."""
    engine = Engine()
    session, heard, wire = engine.websocket()
    engine.pass_time(0.45)
    session.wire_received(wire, ("3", ""))
    engine.pass_time(0.45)
    assert heard.ends == []
    engine.house._ticking.stop()
    engine.clock.advance(0.1)
    session.wire_received(wire, ("3", ""))
    assert heard.ends == ["ping timeout"]


def test_when_pings_come() -> None:
    """One at each interval and none between, on a WebSocket as by polling; the first one after the handshake."""
    engine = Engine(ping_interval_s=2.0, ping_timeout_s=1.0)
    session, _, wire = engine.websocket()
    polled, _ = engine.polling()
    tick_s = engine.house.options.tick_s
    for _ in range(4):
        poll = FakePoll()
        polled.poll(poll)
        engine.pass_time(2.0 - tick_s)
        assert wire.take() == [] and poll.body is None
        engine.pass_time(2 * tick_s)
        assert wire.take() == ["2"] and poll.body == b"2"
        session.wire_received(wire, ("3", ""))
        polled.post([("3", "")])


def test_the_process_slept() -> None:
    """If the ping itself is late because we were, the peer has its whole time to answer."""
    engine = Engine()
    _session, heard, wire = engine.websocket()
    engine.clock.advance(5.0)
    assert wire.take() == ["2"] and heard.ends == []
    engine.pass_time(0.1)
    assert heard.ends == []
    engine.pass_time(0.2)
    assert heard.ends == ["ping timeout"]


def test_many_pings_make_few_deadlines() -> None:
    """A flood of pings of a version 3 client leaves no queue of deadlines behind."""
    engine = Engine()
    session, heard = engine.polling(3)
    session.post([("2", "")] * 1000)
    assert len(engine.house.silences._queue) < 5
    engine.pass_time(0.45)
    session.post([("2", "")])
    engine.pass_time(0.45)
    assert heard.ends == []
    engine.pass_time(0.1)
    assert heard.ends == ["ping timeout"]


def test_upgrade() -> None:
    """The switch keeps the order: what came before it waits for the WebSocket."""
    engine = Engine()
    session, heard = engine.polling()
    poll, wire = FakePoll(), FakeWire()
    session.poll(poll)
    session.attach(wire)
    assert poll.body is None
    session.send("with the noop")
    session.wire_received(wire, ("2", "probe"))
    assert poll.body == b"4with the noop\x1e6"
    session.send("buffered")
    engine.turn()
    again = FakePoll()
    session.poll(again)
    assert again.body == b"4buffered"
    empty = FakePoll()
    session.poll(empty)
    assert empty.body == b"6"
    session.send("for the ws")
    session.wire_received(wire, ("5", ""))
    engine.turn()
    assert wire.take() == ["3probe", "4for the ws"]
    session.wire_received(wire, ("4", "x"))
    assert heard.messages == ["x"]
    session.wire_lost(wire)
    assert heard.ends == ["transport close"]


def test_upgrade_with_a_poll_left_over() -> None:
    """A GET that still waits at the switch gets a noop; the packets go to the WebSocket."""
    engine = Engine()
    session, _ = engine.polling()
    wire = FakeWire()
    session.attach(wire)
    session.wire_received(wire, ("2", "probe"))
    session._probed = (
        False  # the client polls again before its probe is known here: cannot be, but must be harmless
    )
    poll = FakePoll()
    session.poll(poll)
    session._probed = True
    session.send("x")
    session.wire_received(wire, ("5", ""))
    assert poll.body == b"6"
    assert wire.take() == ["3probe", "4x"]


@pytest.mark.parametrize("bad", [("4", "x"), ("5", ""), ("2", ""), ("3", "probe")])
def test_bad_probe(bad: tuple[str, str]) -> None:
    """Anything but a probe closes the probing WebSocket only."""
    engine = Engine()
    session, heard = engine.polling()
    wire = FakeWire()
    session.attach(wire)
    session.wire_received(wire, bad)
    assert wire.closed and heard.ends == [] and heard.messages == []
    other = FakeWire()
    session.attach(other)
    session.wire_received(other, ("2", "probe"))
    assert other.frames == ["3probe"]


def test_probe_takes_too_long() -> None:
    """After the upgrade timeout the probe is closed; the session goes on polling."""
    engine = Engine(upgrade_timeout_s=0.1)
    session, heard = engine.polling()
    wire = FakeWire()
    session.attach(wire)
    session.wire_received(wire, ("2", "probe"))
    engine.pass_time(0.2)
    assert wire.closed and heard.ends == []
    poll = FakePoll()
    session.poll(poll)
    assert poll.body is None


def test_second_websocket() -> None:
    """One that comes while another probes, or carries, is closed."""
    engine = Engine()
    session, _ = engine.polling()
    first, second, third = FakeWire(), FakeWire(), FakeWire()
    session.attach(first)
    session.attach(second)
    session.wire_received(first, ("2", "probe"))
    session.wire_received(first, ("5", ""))
    session.attach(third)
    assert (first.closed, second.closed, third.closed) == (False, True, True)


def test_full_transport() -> None:
    """While the transport is full packets wait; the handler is told when it is many, and when they are gone."""
    engine = Engine(high_water=1000)
    session, heard, wire = engine.websocket()
    session.pause(wire)
    assert not session.is_writable
    for _ in range(10):
        session.send("x" * 100)
        engine.turn()
    assert wire.frames == [] and session.waiting_bytes > 1000
    assert heard.pressure == [True]
    session.resume(wire)
    assert len(wire.take()) == 10 and session.waiting_bytes == 0
    engine.turn()
    assert heard.pressure == [True, False]


def test_pressure_is_told_at_the_end_of_the_turn() -> None:
    """Whoever sends is not called back: not for what makes room, nor for what is taken in the same turn."""
    engine = Engine(high_water=1000, max_buffer=3000)
    session, heard, wire = engine.websocket()
    session.pause(wire)
    for _ in range(15):
        session.send("x" * 100)
    engine.turn()
    assert heard.pressure == [True]
    session.resume(wire)
    session.send("x" * 4000)
    session.send("x")
    session.send("x")
    assert heard.pressure == [True]
    engine.turn()
    assert heard.pressure == [True, False] and session.waiting_bytes == 0


@pytest.mark.parametrize("pieces", [1, 30])
def test_relief_within_a_turn(pieces: int) -> None:
    """Who saw too much waiting hears of the relief, even if all was taken before the turn ended; and each time."""
    engine = Engine(high_water=1000)
    session, heard, wire = engine.websocket()
    for turn in (1, 2):
        for _ in range(pieces):
            session.send("x" * (3000 // pieces))
        assert session.waiting_bytes > 1000
        engine.turn()
        assert heard.pressure == [False] * turn and len(wire.take()) == pieces
    session.send("little")
    engine.turn()
    assert heard.pressure == [False, False]


def test_relief_by_poll_within_a_turn() -> None:
    """The same for a peer that polls while much is being sent."""
    engine = Engine(high_water=1000)
    session, heard = engine.polling()
    session.send("x" * 3000)
    poll = FakePoll()
    assert session.poll(poll) and poll.body is not None and heard.pressure == []
    engine.turn()
    assert heard.pressure == []
    session.send("x" * 3000)
    session.send("x")
    assert session.poll(FakePoll()) and heard.pressure == []
    engine.turn()
    assert heard.pressure == [False]


def test_too_slow() -> None:
    """A peer that takes nothing is sent away when too much waits; said at the end of the turn, not in between."""
    engine = Engine(max_buffer=1000)
    session, heard, wire = engine.websocket()
    session.pause(wire)
    for _ in range(20):
        session.send("x" * 100)
    assert heard.ends == [] and session.waiting_bytes < 1400
    engine.turn()
    assert heard.ends == ["too slow"] and wire.closed
    silent, heard = engine.polling()
    for _ in range(20):
        silent.send("x" * 100)
    engine.turn()
    assert heard.ends == ["too slow"]


def test_much_in_one_turn() -> None:
    """A peer that reads may be sent more in one turn than may wait."""
    engine = Engine(max_buffer=1000)
    session, heard, wire = engine.websocket()
    for _ in range(100):
        session.send("x" * 100)
    engine.turn()
    assert len(wire.take()) == 100 and heard.ends == []
    session.pause(wire)
    session.send("x" * 5000)  # a single big one may always wait
    engine.turn()
    assert heard.ends == []


def test_errors_of_the_application() -> None:
    """An error in a handler is reported and ends nothing; a bad packet ends the session."""
    engine = Engine()
    session, heard, wire = engine.websocket()

    def message(data: str | bytes) -> None:
        raise BadPacket("no") if data == "bad" else RuntimeError("ours")

    heard.message = message  # type: ignore[method-assign]
    session.wire_received(wire, ("4", "x"))
    assert [str(error) for error in engine.errors] == ["ours"] and heard.ends == []
    session.wire_received(wire, ("4", "bad"))
    assert heard.ends == ["parse error"] and wire.closed


def test_handler_that_cannot_be_made() -> None:
    """If there is nobody to handle a session it is closed."""
    engine = Engine()

    def broken(_session: object) -> None:
        raise RuntimeError("ours")

    engine.house.new_handler = broken  # type: ignore[assignment]
    wire = FakeWire()
    session = engine.house.new_session(4, base64=False)
    session.open(wire)
    assert wire.closed and session.closed and engine.house.sessions == {}


def test_names_of_sessions() -> None:
    """Session ids are long, different, and begin with the node's name if there is one."""
    engine = Engine(node="n1")
    sids = {engine.polling()[0].sid for _ in range(50)}
    assert len(sids) == 50
    assert all(sid.startswith("n1.") and len(sid) >= 3 + 16 for sid in sids)


def test_shutdown() -> None:
    """The end of the server is the end of every session."""
    engine = Engine()
    _, polling = engine.polling()
    _, carried, wire = engine.websocket()
    engine.house.close()
    assert polling.ends == carried.ends == ["server shutting down"] and wire.closed

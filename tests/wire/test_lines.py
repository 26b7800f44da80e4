"""TCP lines: where one ends, what is too much, and how a connection ends."""

from __future__ import annotations

import pytest

from chatservice.transports.lag import LAG_BYTES
from chatservice.transports.line import LINE_BYTES
from chatservice.transports.sendqueue import REPLY_BYTES
from wire.house import House
from wire.people import LinePerson, TextPerson


def talkers(house: House) -> tuple[LinePerson, TextPerson]:
    """Someone on a line, and a witness, who have heard all so far."""
    one, witness = LinePerson(house), TextPerson(house)
    one.heard(), witness.heard()
    return one, witness


def test_the_taught_client(house: House) -> None:
    """It sends 你好 at once without a newline: that is said when its newline comes, with what follows it."""
    one, witness = talkers(house)
    one.feed("你好".encode())
    assert witness.heard() == []
    one.feed(b"\n")
    assert witness.heard() == ["你好"] and one.heard() == ["user1say:你好"]


def test_a_line_that_never_ends_was_never_said(house: House) -> None:
    """Nothing breaks when the newline never comes."""
    one, witness = talkers(house)
    one.feed("你好".encode())
    one.leave()
    assert witness.heard() == ["user1 left"]


def test_what_comes_from_a_pipe(house: House) -> None:
    """`echo hello | nc` closes its half at once: all its lines are said, then it is seen out."""
    one, witness = talkers(house)
    one.transport.protocol.dataReceived(b"/nick Ann\nhello\nand again\nunfinished")
    one.transport.protocol.readConnectionLost()
    house.pump.run()
    assert witness.heard() == ["* user1 is now Ann", "hello", "and again", "Ann left"]
    assert one.heard()[-1] == "* bye" and one.transport.disconnecting
    one.transport.protocol.writeConnectionLost()
    one.leave()


def test_what_telnet_says_to_telnet(house: House) -> None:
    """Options, subnegotiations and an interrupt are no text, wherever they are cut (RFC 854, RFC 855)."""
    negotiated = b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\xff\xff\x18\xff\xf0hel\xff\xf4\xff\xfd\x06lo\r\n"
    _, witness = talkers(house)
    for cut in range(1, len(negotiated)):
        other = LinePerson(house)
        other.feed(negotiated[:cut])
        other.feed(negotiated[cut:])
        other.leave()
        assert [heard for heard in witness.heard() if heard == "hello"] == ["hello"], cut


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_every_split(house: House, end: bytes) -> None:
    """However the bytes are cut into packets, also inside a character, the lines are the same."""
    _, witness = talkers(house)
    typed = end.join(["你好".encode(), b"", b"/me waves", b"a\rb", b""])
    for cut in range(1, len(typed)):
        other = LinePerson(house)
        other.feed(typed[:cut])
        other.feed(typed[cut:])
        other.leave()
        heard = witness.heard()
        assert [word for word in heard if "user" not in word] == ["你好", "a\nb"], cut
        assert len(heard) == 5
    byte_by_byte = LinePerson(house)
    for n in range(len(typed)):
        byte_by_byte.feed(typed[n : n + 1])
    assert [word for word in witness.heard() if "user" not in word] == ["你好", "a\nb"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_longest_line(house: House, end: bytes) -> None:
    """A line of 8192 bytes is fine (its text is too long to be said), one byte more ends the connection."""
    one, witness = talkers(house)
    one.feed(b"x" * LINE_BYTES)
    one.feed(end)
    assert one.heard() == ["* a message has at most 4000 characters"]
    one.feed(b"y" * (LINE_BYTES + 1) + end)
    assert one.heard() == ["* a line has at most 8192 bytes"]
    assert one.transport.disconnecting and witness.heard() == ["user1 left"]


def test_an_endless_line(house: House) -> None:
    """A line that grows without an end is cut at 8 KiB; not half of it is said."""
    one, witness = talkers(house)
    for _ in range(9):
        one.feed(b"x" * 1000)
    assert one.heard() == ["* a line has at most 8192 bytes"]
    assert one.transport.disconnecting and witness.heard() == ["user1 left"]


def test_good_lines_before_a_bad_one(house: House) -> None:
    """What came before the line that ends the connection is still said, what comes after it is not."""
    one, witness = talkers(house)
    one.feed(b"before\n\xff\nafter\n")
    assert sorted(witness.heard()) == ["before", "user1 left"]
    assert one.heard() == ["* this is not UTF-8; please set your client to it"]


def test_a_request_of_a_browser(house: House) -> None:
    """A web page cannot make a visitor's browser talk here: the first line of HTTP ends it."""
    one, witness = talkers(house)
    one.feed(b"POST / HTTP/1.1\r\nHost: localhost:9000\r\n\r\n/nick Ann\r\nspam\r\n")
    assert one.heard() == ["* this port speaks lines of chat, not HTTP"]
    assert witness.heard() == ["user1 left"]


def test_control_characters(house: House) -> None:
    """NUL and escape sequences do not reach anybody's terminal, not in texts and not in nicks."""
    one, witness = talkers(house)
    one.feed(b"a\x00b\x1b[2Jc\n")
    assert witness.heard() == ["ab[2Jc"]
    one.feed(b"/nick A\x1b[2J\n/dance\x1b[2J\n")
    told = one.heard()
    assert len(told) == 3 and not any("\x1b" in line for line in told) and witness.heard() == []


def test_bye(house: House) -> None:
    """`bye` is answered and ends the connection; the others see somebody leave."""
    one, witness = talkers(house)
    one.say("bye")
    assert one.heard() == ["* bye"] and one.transport.disconnecting and not one.transport.aborted
    assert witness.heard() == ["user1 left"]
    one.leave()
    house.wait(10)
    assert not one.transport.aborted and len(house.around.farewells) == 0


def test_a_peer_that_never_lets_go(house: House) -> None:
    """An orderly end that the far end never finishes is cut off after 5 s."""
    one, _ = talkers(house)
    one.say("bye")
    house.wait(4)
    assert not one.transport.aborted
    house.wait(1)
    assert one.transport.aborted


def test_a_slow_reader(house: House) -> None:
    """Whoever does not read costs a megabyte and no more, and is ended after 30 s; the others do not notice."""
    one, witness = talkers(house)
    one.transport.producer.pauseProducing()
    for _ in range(2 * LAG_BYTES // 4000):
        witness.say("x" * 4000)
        assert len(witness.heard()) == 1
        assert one.transport.producer.waiting_bytes < LAG_BYTES + 5000
    house.wait(29)
    assert not one.transport.disconnecting and witness.heard() == []
    house.wait(1)
    assert one.transport.disconnecting and one.heard() == []
    assert witness.heard()[-1] == "user1 left"
    house.wait(5)
    assert one.transport.aborted


def test_a_slow_reader_that_sends(house: House) -> None:
    """Whoever asks and asks and never reads the answers is ended at 4 MiB of them."""
    one, witness = talkers(house)
    for _ in range(100):
        witness.say("x" * 4000)
        assert len(witness.heard()) == 1
    one.transport.producer.pauseProducing()
    asked = 0
    while not one.transport.disconnecting:
        asked += 1
        one.say("/history 100")
        assert asked < 2 * REPLY_BYTES // 400_000
    assert asked > REPLY_BYTES // 410_000 and witness.heard() == ["user1 left"]


def test_a_stack_of_lines_is_read_at_its_pace(house: House) -> None:
    """Thousands of pasted lines stop the reading until they are done, and all of them are said in order."""
    one, witness = LinePerson(house), TextPerson(house)
    one.heard(), witness.heard()
    one.transport.protocol.dataReceived(b"".join(b"%d\n" % n for n in range(1000)))
    assert one.transport.producerState == "paused"
    house.pump.run()
    assert one.transport.producerState == "producing"
    assert witness.heard() == [str(n) for n in range(1000)]


def test_the_end_during_a_stack_of_lines(house: House) -> None:
    """When the connection breaks in the middle, what had not begun is never said and nothing fails."""
    one, witness = LinePerson(house), TextPerson(house)
    one.heard(), witness.heard()
    one.transport.protocol.dataReceived(b"a\n/nick Ann\nb\n")
    one.leave()
    assert witness.heard() == ["user1 left", "a"]

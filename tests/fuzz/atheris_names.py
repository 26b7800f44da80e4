"""Any nick, room or text is clean once it is taken, or is refused."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from chatservice.domain.errors import Refused
    from chatservice.domain.names import clean_room, clean_text, nick_key
    from chatservice.identity.names import PrecisNames

clean_nick = PrecisNames().clean

SEEDS = [
    "Ａnn  B\u200d👩\u200d👩\u0301".encode(),
    b"dm:u_1:u_2",
    "上海\u202e\x00\r\n\u2028".encode(),
]


def target(data: bytes) -> None:
    said = data.decode("utf-8", "replace")
    for clean in (clean_nick, clean_room, clean_text):
        try:
            taken = clean(said)
        except Refused:
            continue
        assert clean(taken) == taken
        taken.encode()
        if clean is clean_nick:
            assert nick_key(taken)


if __name__ == "__main__":
    fuzz(target, SEEDS)

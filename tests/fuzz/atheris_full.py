"""Any frames on chat.v1 are commands, are refused, or end the connection."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from chatservice.dialects.base import Asked, Speak, Unreadable
    from chatservice.dialects.full import FullParser
    from chatservice.domain.conduct import COMMANDS
    from chatservice.domain.errors import Ended

SEEDS = [
    b'{"type":"hello","id":1,"v":1,"nick":"Ann","caps":["batch"],"rooms":{"lobby":{"epoch":"k","seq":12}}}',
    b'{"type":"message","id":"x","room":"lobby","cid":"c1","text":"hi","reply":3,"meta":{"a":[1,null]}}\n[]',
    b'{"type":"mod","id":7,"room":"@u_2","action":"mute","user":"u_3","for_s":60,"value":true,"reason":"x"}',
]


def target(data: bytes) -> None:
    parser = FullParser()
    for line in data.split(b"\n"):
        try:
            line.decode()
        except UnicodeDecodeError:
            return  # closed with 1007 before it comes here
        try:
            for item in parser.parse(line, False):
                assert isinstance(item, Speak) or (isinstance(item, Asked) and type(item.command) in COMMANDS)
        except Unreadable:
            continue
        except Ended:
            return


if __name__ == "__main__":
    fuzz(target, SEEDS)

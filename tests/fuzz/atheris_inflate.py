"""Any compressed bytes, in any pieces, are a message within its bound or an error that has a close code."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from autobahn.exception import PayloadCorruptError, PayloadExceededError

    from chatservice.transports.deflate import Inflater

SEEDS = [
    b"\x02\xff\xf2\x48\xcd\xc9\xc9\x07\x00",
    b"\xff\x01\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
]


def target(data: bytes) -> None:
    step, most, data = (data[0] + 1, data[1] * 300, data[2:]) if len(data) > 1 else (1, 100, b"")
    inflater, size = Inflater(), 0
    for _ in range(2):
        inflater.start_decompress_message()
        try:
            for at in range(0, len(data), step):
                size += len(inflater.decompress_message_data(data[at : at + step], most - size))
                assert size <= most
            inflater.end_decompress_message()
        except (PayloadCorruptError, PayloadExceededError):
            return
        size = 0


if __name__ == "__main__":
    fuzz(target, SEEDS)

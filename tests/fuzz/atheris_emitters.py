"""Any bytes that a back end publishes: an emission, or refused by one kind of error; what is read can be sent."""

from __future__ import annotations

from fuzzing import fuzz, instrumented

with instrumented():
    from chatservice.socketio import Event
    from chatservice.socketio.emitters import BadEmission, read_json, read_packed

SEEDS = [
    b"\x93\xa7emitter\x83\xa4type\x02\xa4data\x92\xa1e\xc4\x01\x00\xa3nsp\xa1/"
    b"\x83\xa5rooms\x91\xa1r\xa5flags\x80\xa6except\x90",
    b'{"method":"emit","event":"e","data":[["x",{"_placeholder":true,"num":0}],"AA=="],"binary":true,'
    b'"namespace":"/","room":"r","skip_sid":null,"callback":null,"host_id":"h"}',
]


def target(data: bytes) -> None:
    for read in (read_json, read_packed):
        try:
            emission = read(data)
        except BadEmission:
            continue
        try:
            assert Event("/", emission.name, emission.arguments).packet.size
        except TypeError:  # numbers of more than 64 bits, which JSON may hold
            continue


if __name__ == "__main__":
    fuzz(target, SEEDS)

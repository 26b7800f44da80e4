"""How long a server takes to answer: `/echo`, twenty times a second, from a process of its own, because the crew's
is busy itself. What its event loop is late is in there.

    python -m faults.probe PORT

prints the round trips of each second, in milliseconds, until its input ends.
"""

from __future__ import annotations

import select
import sys
import time

from e2e.raw import TEXT, connected, frame, handshake

EVERY_S = 0.05
LONGEST_S = 120.0


def main(port: int) -> None:
    """Ask and print until nobody wants to know any more."""
    with connected(port) as bare:
        bare.settimeout(LONGEST_S)
        bare.sendall(handshake("/echo"))
        while b"\r\n\r\n" not in bare.recv(65_536):
            pass
        second: list[float] = []
        while not select.select([sys.stdin], [], [], EVERY_S)[0]:
            began = time.monotonic()
            bare.sendall(frame(TEXT, b"?"))
            assert bare.recv(64)
            second.append(1000 * (time.monotonic() - began))
            if len(second) == round(1 / EVERY_S):
                sys.stdout.write(" ".join(f"{ms:.2f}" for ms in second) + "\n")
                sys.stdout.flush()
                second = []


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""To which of the sockets of one port the kernel gives connections.

Before a socket is closed nothing may be on its way into its queue: what is there then is reset. With SO_REUSEPORT
none can be taken out of the choice, but a program may choose instead of the kernel (socket(7),
SO_ATTACH_REUSEPORT_CBPF): one that chooses among the first so many leaves the others alone, and those are emptied.

Sockets are counted in the order in which they began to listen. Trap: when one is closed the last one takes its
place, so the order is known as long as only the last ones are closed.
"""

from __future__ import annotations

import array
import errno
import socket
import struct

_ATTACH, _DETACH = 51, 68  # asm-generic/socket.h; Python has no names for them
# linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS, BPF_ALU|BPF_MOD|BPF_K, BPF_RET|BPF_A
_LOAD, _MODULO, _RETURN = 0x20, 0x94, 0x16
_RANDOM = 0xFFFFF000 + 56  # linux/filter.h: SKF_AD_OFF + SKF_AD_RANDOM


def give_to_first(sock: socket.socket, n: int) -> bool:
    """From now on connections go to the first `n` sockets of the port, each as often as the others. False if the
    kernel cannot do that, and undo it: it takes Linux 5.3."""
    steps = ((_LOAD, _RANDOM), (_MODULO, n), (_RETURN, 0))
    program = array.array("B", b"".join(struct.pack("@HBBI", code, 0, 0, value) for code, value in steps))
    where, _ = program.buffer_info()
    try:
        give_to_all(sock)
        sock.setsockopt(socket.SOL_SOCKET, _ATTACH, struct.pack("@HP", len(steps), where))
    except OSError:
        return False
    return True


def give_to_all(sock: socket.socket) -> None:
    """The kernel chooses again, among all.

    :raises OSError: if it does not know how.
    """
    try:
        sock.setsockopt(socket.SOL_SOCKET, _DETACH, struct.pack("@i", 0))
    except OSError as error:
        if error.errno != errno.ENOENT:  # it has chosen all the time
            raise

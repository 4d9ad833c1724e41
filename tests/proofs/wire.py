"""What is on its way between the two ends of this process's own connections, in bytes.

On a busy machine the kernel may take its time to hand over what was sent; a clock that jumps while
that happens would have requests take hours. Both ends are in this process, so it can be counted.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Wire:
    """Bytes that were sent, less those that were received."""

    def __init__(self) -> None:
        self.under_way = 0

    def lose(self) -> None:
        """Nobody receives the rest: its connection was closed."""
        self.under_way = 0

    def sent(self, count: int) -> int:
        self.under_way += count
        return count

    def received(self, count: int) -> int:
        # What was given up may turn up after all.
        self.under_way = max(0, self.under_way - count)
        return count


@contextmanager
def counted() -> Iterator[Wire]:
    """Count what every socket of this process sends and receives."""
    wire, plain = Wire(), socket.socket

    def send(self: socket.socket, *values: Any) -> int:
        return wire.sent(super(plain, self).send(*values))

    def sendmsg(self: socket.socket, *values: Any) -> int:
        return wire.sent(super(plain, self).sendmsg(*values))

    def recv(self: socket.socket, *values: Any) -> bytes:
        found: bytes = super(plain, self).recv(*values)
        wire.received(len(found))
        return found

    def recv_into(self: socket.socket, *values: Any) -> int:
        return wire.received(super(plain, self).recv_into(*values))

    ours = (send, sendmsg, recv, recv_into)
    assert not any(one.__name__ in vars(plain) for one in ours)
    for one in ours:
        setattr(plain, one.__name__, one)
    try:
        yield wire
    finally:
        for one in ours:
            delattr(plain, one.__name__)

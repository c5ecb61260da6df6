"""A server that answers after exactly 50 ms and says how long it really took; beside it a name server that leaves some names unanswered.

A process of its own, so that whoever is measured shares no interpreter with it. `python -m bench.exact_server` prints its two ports (HTTP,
names) and ends when its input does. The `Server` header of an answer is the true delay in µs, from the request read to the answer sent.
"""

import contextlib
import gc
import select
import socket
import struct
import sys
import time

DELAY_S = 0.050
SPIN_S = 0.0003  # the system wakes a sleeper about 0.1 ms late; this much is waited for awake
DEAD = b"dead"  # names that begin so are never answered
_A, _IN = 1, 1


class Waiting:
    """One request: where it came from, when it was read, when it is due."""

    def __init__(self, sock: socket.socket, read_at: float) -> None:
        self.sock, self.read_at, self.due = sock, read_at, read_at + DELAY_S


def answer(one: Waiting) -> None:
    """Send the answer, with how long it took to come."""
    took = round((time.perf_counter() - one.read_at) * 1e6)
    head = f"HTTP/1.1 200 OK\r\nServer: {took}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    with contextlib.suppress(OSError):  # the client may have gone
        one.sock.send(head.encode())
    one.sock.close()


def asked(sock: socket.socket) -> bool:
    """Whether a request came; one of a few lines comes in one piece."""
    try:
        return bool(sock.recv(65_536))
    except OSError:
        return False


def name_answer(query: bytes) -> bytes | None:
    """127.0.0.1 for a question of type A, no data for others, None for a dead name. TTL 0, so that every check asks (RFC 1035 §4)."""
    name_end = query.index(b"\0", 12)
    if query[13 : 13 + len(DEAD)].lower() == DEAD:
        return None
    (kind,) = struct.unpack_from("!H", query, name_end + 1)
    question = query[12 : name_end + 5]
    record = b"\xc0\x0c" + struct.pack("!HHIH", _A, _IN, 0, 4) + bytes([127, 0, 0, 1]) if kind == _A else b""
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if record else 0, 0, 0) + question + record


def serve(listener: socket.socket, names: socket.socket) -> None:
    """Until the input ends."""
    open_: set[socket.socket] = set()
    waiting: list[Waiting] = []
    while True:
        wait = max(waiting[0].due - time.perf_counter() - SPIN_S, 0) if waiting else 1.0
        readable, _, _ = select.select([listener, names, sys.stdin, *open_], [], [], wait)
        now = time.perf_counter()
        if sys.stdin in readable:
            return
        if listener in readable:
            open_.add(listener.accept()[0])
        if names in readable:
            query, client = names.recvfrom(512)
            if (found := name_answer(query)) is not None:
                names.sendto(found, client)
        for sock in open_.intersection(readable):
            open_.discard(sock)
            if asked(sock):
                waiting.append(Waiting(sock, now))
            else:
                sock.close()
        while waiting and waiting[0].due - time.perf_counter() <= SPIN_S:
            one = waiting.pop(0)
            while time.perf_counter() < one.due:
                pass
            answer(one)


def main() -> None:
    """Listen, say where, serve."""
    gc.disable()
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], names.getsockname()[1], flush=True)
    serve(listener, names)


if __name__ == "__main__":
    main()

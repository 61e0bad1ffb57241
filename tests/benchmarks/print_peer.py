"""A printer in a process of its own: it answers status at once, and tells when the first byte of a job has come."""

from __future__ import annotations

import socket
import time
from multiprocessing.connection import Connection

from bodega_adapters.simulated.zpl_memory import ZplMemory

_READ_BYTES = 4096


def be_a_printer(told: Connection) -> None:
    """Read connections one by one; tell when the first byte of a job came (one monotonic clock for all processes)."""
    server = socket.create_server(("127.0.0.1", 0))
    told.send(server.getsockname()[1])
    memory = ZplMemory()
    while True:
        connection, _ = server.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            in_job = False
            while data := connection.recv(_READ_BYTES):
                arrived = time.monotonic()
                if not in_job and b"^XA" in data:
                    in_job = True
                    told.send(arrived)
                if answer := memory.take(data):
                    connection.sendall(answer)

"""One process works on a ledger: the agent while it runs, or a restore."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bodega.errors import AddressInUse


@contextmanager
def held(ledger_path: Path) -> Iterator[None]:
    """Hold the lock beside the ledger; AddressInUse while another process does. The system frees it with its holder."""
    ledger_path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(ledger_path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AddressInUse(
                f"another process works on the ledger {ledger_path}",
                hint="stop the agent first: systemctl stop bodega-agent; or wait for the restore that runs",
            ) from error
        yield
    finally:
        os.close(lock)

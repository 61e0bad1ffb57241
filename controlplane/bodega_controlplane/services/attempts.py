"""What one round of a service meets does not end the control plane: it is told, and the next round tries again.

A round is made of transactions, so one that fails leaves nothing half done. A bug, which may be about one order only,
is told with its traceback.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bodega.errors import BodegaError
from bodega.host.log import get_logger

log = get_logger(__name__)


@contextmanager
def attempt(failed: str, **about: object) -> Iterator[None]:
    """Run the block; if it raises, log the event `failed` and go on after it."""
    try:
        yield
    except BodegaError as error:
        log.warning(failed, code=error.code, reason=error.message, **about)
    except Exception:  # whatever it is, orders are taken meanwhile
        log.exception(failed, **about)

"""What a caller and the log learn of a fault that nobody foresaw.

The caller learns that it is ours and under which correlation id to ask for it. The log gets the kind and
the places in the code, but no message and no values: those may hold an address or a name.
"""

from __future__ import annotations

import traceback

from bodega.errors import BodegaError
from bodega.host.log import get_logger

log = get_logger(__name__)

_PLACES_MAX = 12


def unforeseen(error: Exception, correlation: str) -> BodegaError:
    """Log the bug, and the error to answer with instead."""
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES_MAX:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("request_bug", kind=type(error).__name__, places=places)
    return BodegaError(
        "the control plane met a fault that it did not foresee",
        hint=f"try again; if it stays, send us the log lines of correlation id {correlation}",
    )

"""Correlation ids: one word that follows a request through every log line and back to the caller."""

from __future__ import annotations

import re
import uuid

from bodega.limits import CORRELATION_ID_CHARS_MAX

HEADER = "x-correlation-id"

_USABLE = re.compile(rf"[A-Za-z0-9._-]{{1,{CORRELATION_ID_CHARS_MAX}}}")


def correlation_id(given: str | None) -> str:
    """The caller's own id if it is one plain word, else a new one; never anything that could forge a log."""
    return given if given and _USABLE.fullmatch(given) else uuid.uuid4().hex

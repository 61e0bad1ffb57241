"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(at_ms: int) -> str:
    """Milliseconds since 1970 as "2026-11-22 07:01:02Z"."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"


def today() -> str:
    """The day in UTC as ISO 8601 ("2026-11-22"): what expiry dates are compared with."""
    return datetime.now(UTC).date().isoformat()

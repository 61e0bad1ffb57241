"""Identifiers that the hub gives: sorted by time, short enough for a prompt, never guessed by counting."""

from __future__ import annotations

import secrets

# Crockford's base 32: no I, L, O, U, so that nobody misreads one.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_TIME_DIGITS, _RANDOM_DIGITS = 9, 8


def new_id(prefix: str, now_ms: int) -> str:
    """Such as "O-1KAJ8Q3W2-7YB0M4TD": 45 bits of time in milliseconds, 40 random bits."""
    return f"{prefix}-{_base32(now_ms, _TIME_DIGITS)}-{_base32(secrets.randbits(40), _RANDOM_DIGITS)}"


def _base32(number: int, digits: int) -> str:
    return "".join(_DIGITS[(number >> (5 * place)) & 31] for place in reversed(range(digits)))

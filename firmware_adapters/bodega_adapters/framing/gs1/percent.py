"""Percent-encoding (RFC 3986) undone; `urllib` would do it, and brings sockets' worth of modules with it."""

from __future__ import annotations

import re

_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def percent_decoded(text: str) -> str:
    """Each %XX as the character of UTF-8 that it is part of; bytes that are not UTF-8 are taken as ISO 8859-1."""
    return _ENCODED.sub(_characters, text) if "%" in text else text


def _characters(found: re.Match[str]) -> str:
    raw = bytes.fromhex(found.group().replace("%", ""))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")

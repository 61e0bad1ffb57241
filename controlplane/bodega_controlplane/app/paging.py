"""Pages: bounded sizes, and tokens that say where the last page ended and nothing else to callers."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from bodega.errors import FieldFault, InvalidInput
from bodega.limits import PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX

_INT64 = 2**63


def limit_of(size: int) -> int:
    """Rows to give: the default for 0, never more than PAGE_ROWS_MAX. Raises InvalidInput below 0."""
    if size < 0:
        raise InvalidInput(
            "the page size is negative", faults=(FieldFault("page_size", f"must be 0 to {PAGE_ROWS_MAX}"),)
        )
    return min(size or PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX)


def token_after(*key: int | str) -> str:
    """The token of the page that begins after the row with this key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key_of(token: str, *kinds: type[int] | type[str]) -> tuple[Any, ...] | None:
    """The key in a token, None for the empty one; raises InvalidInput for one that we did not make."""
    if not token:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        key = None
    right = isinstance(key, list) and [type(part) for part in key] == list(kinds)
    if not right or not all(map(_can_be_asked_for, key)):
        raise InvalidInput(
            "the page that was asked for is not one of ours",
            hint="ask for it as the last page has told it, by the same question, or for the first one without any",
            faults=(FieldFault("page_token", "was not told by a page of this list"),),
        )
    return tuple(key)


def _can_be_asked_for(part: int | str) -> bool:
    """Whether every database takes it: 64 bits, and text without NUL and halves of characters."""
    if isinstance(part, int):
        return -_INT64 <= part < _INT64
    return "\0" not in part and not any("\ud800" <= character <= "\udfff" for character in part)

"""What every model of the API is made of: strict, without unknown fields, of plain text.

Models are strict (no "5" for 5), refuse unknown fields, and take plain text only: no control characters
and no angle brackets, so that a name can go on a label or a page without becoming markup there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from bodega.limits import IDENTIFIER_CHARS_MAX, TEXT_CHARS_MAX

PLAIN_TEXT = r"^[^<>\x00-\x1f\x7f]*$"
PLAIN_WORD = r"^[!-;=?-~]*$"  # visible ASCII without "<" and ">"
VISIBLE_ASCII = r"^[\x21-\x7e]+$"
COUNTRY = r"^[A-Z]{2}$"
DIGITS_OF_GTIN = r"^[0-9]{8,14}$"
DIGITS_OF_SSCC = r"^[0-9]{18}$"
LETTERS_AND_DIGITS = r"^[0-9A-Za-z]+$"
TYPE_OF_EVENT = r"^[a-z_]+(\.[a-z_]+)*(\.\*)?$"

# Every pattern of the API, and the words for whoever does not keep it.
PATTERNS = {
    PLAIN_TEXT: "must be plain text without <, > and control characters",
    PLAIN_WORD: "must be visible ASCII characters without spaces, < and >",
    VISIBLE_ASCII: "must be visible ASCII characters without spaces",
    COUNTRY: "must be the two capital letters of a country (ISO 3166-1 alpha-2), such as PT",
    DIGITS_OF_GTIN: "must be a GTIN of 8 to 14 digits",
    DIGITS_OF_SSCC: "must be an SSCC of 18 digits",
    LETTERS_AND_DIGITS: "must be ASCII letters and digits",
    TYPE_OF_EVENT: 'must be a type of event such as order.shipped, or "order.*" for all that begin so',
}

Identifier = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_WORD)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX, pattern=PLAIN_TEXT)]
Measure = Annotated[int, Field(ge=0, le=2**32 - 1)]
Gtin = Annotated[str, Field(pattern=DIGITS_OF_GTIN)]


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 time, as a text")  # noqa: TRY004 - pydantic makes faults of ValueErrors
    return value


# JSON has no times: a strict model would take none at all, and a lax one would take numbers too.
Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_is_text)]


class In(BaseModel):
    """What clients send."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def like(example: dict[str, Any]) -> ConfigDict:
    """The configuration of a body that the document shows an example of."""
    return ConfigDict(json_schema_extra={"examples": [example]})


def time_of(ms: int) -> datetime:
    """Milliseconds since 1970-01-01 UTC as RFC 3339 has them."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def ms_of(at: datetime | None) -> int | None:
    """A time as milliseconds since 1970-01-01 UTC, not before that; None stays None."""
    return None if at is None else max(0, int(at.timestamp() * 1000))

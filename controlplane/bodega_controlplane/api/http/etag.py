"""ETag, If-Match and If-None-Match (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2).

A tag is the hash of what is shown: it changes if and only if a reader would see a change.
"""

from __future__ import annotations

import re
from hashlib import sha256

from fastapi import Response
from pydantic import BaseModel

from bodega.errors import FieldFault, InvalidInput, Refused

_TAG = r'(?:W/)?"[\x21\x23-\x7e]*"'
_TAGS = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_ANY = "*"
_TAG_HEX_DIGITS = 32


def etag_of(shown: BaseModel) -> str:
    """The strong entity tag of a representation."""
    return f'"{sha256(shown.model_dump_json().encode()).hexdigest()[:_TAG_HEX_DIGITS]}"'


def demand_match(if_match: str, shown: BaseModel | None) -> None:
    """Raise Refused ("precondition-failed") unless `if_match` is empty or names what is there now.

    Raises InvalidInput for a header that is no list of tags. Weak tags never match: the comparison is the strong one.
    """
    if not if_match:
        return
    tags = _tags_in("header.If-Match", if_match)
    if shown is None or (_ANY not in tags and etag_of(shown) not in tags):
        raise _failed("it has been changed since the ETag was read" if shown else "it does not exist")


def demand_none(if_none_match: str, shown: BaseModel | None) -> None:
    """Raise Refused ("precondition-failed") if a write with If-None-Match meets what it must not."""
    if not if_none_match:
        return
    tags = _tags_in("header.If-None-Match", if_none_match)
    if shown is not None and (_ANY in tags or etag_of(shown) in tags):
        raise _failed("it exists already")


def shown_as(model: BaseModel, if_none_match: str = "") -> Response:
    """A representation with its tag; 304 without a body for a client that has it."""
    tag = etag_of(model)
    if if_none_match:
        known = {one.removeprefix("W/") for one in _tags_in("header.If-None-Match", if_none_match)}
        if known & {_ANY, tag}:
            return Response(status_code=304, headers={"ETag": tag})
    return Response(model.model_dump_json().encode(), 200, {"ETag": tag}, "application/json")


def _tags_in(where: str, header: str) -> set[str]:
    text = header.strip()
    if text == _ANY:
        return {_ANY}
    if not _TAGS.fullmatch(text):
        fault = FieldFault(where, 'must be * or a list of entity tags in quotes, such as "3f2a"')
        raise InvalidInput(
            "the precondition can not be read", hint="send the ETag as it was", faults=(fault,)
        )
    return set(re.findall(_TAG, text))


def _failed(what: str) -> Refused:
    return Refused(
        f"the precondition does not hold: {what}",
        code="precondition-failed",
        hint="read it again, look at what has changed, and send the change with the new ETag",
    )

"""Judges an EPCIS document: by GS1's own JSON schema, and by rules of EPCIS 2.0 and CBV 2.0 that no schema says.

The schema says `format: uri` and `format: date-time` without a meaning; here both have one (RFC 3986, RFC 3339).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, FormatChecker

from bodega_adapters.framing.check_digit import has_valid_check_digit

SCHEMA = Path(__file__).parents[1] / "data" / "epcis" / "EPCIS-JSON-Schema.json"

_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:(?://{_CHARACTER}*)?(?:/?{_CHARACTER}+)(?:/{_CHARACTER}*)*")
_KEY = re.compile(r"https://id\.gs1\.org/(?:01/(\d{14})|00/(\d{18})|414/(\d{13}))(?:/(?:10|21|254)/[^/]+)?")
_PREFIXES = {"bodega", "cbvmda"}

formats = FormatChecker(formats=())


@formats.checks("uri")
def is_uri(text: object) -> bool:
    """Whether this is a whole URI (RFC 3986) without query and fragment."""
    return not isinstance(text, str) or _URI.fullmatch(text) is not None


@formats.checks("date-time", raises=ValueError)
def is_date_time(text: object) -> bool:
    """Whether this is a time with its zone (RFC 3339)."""
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


_VALIDATOR = Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")), format_checker=formats)


def faults_of(document: dict[str, Any]) -> list[str]:
    """What GS1's schema finds wrong, each with its place; empty for a valid document."""
    return [f"{fault.json_path}: {fault.message[:300]}" for fault in _VALIDATOR.iter_errors(document)]


def check_document(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Assert that GS1's schema and the rules beyond it hold; returns the events."""
    assert faults_of(document) == []
    assert document["type"] == "EPCISDocument"
    told: list[dict[str, Any]] = document["epcisBody"]["eventList"]
    for event in told:
        check_event(event)
    ids = [event["eventID"] for event in told if "errorDeclaration" not in event]
    assert len(ids) == len(set(ids)), "two events have one id"
    return told


def check_event(event: dict[str, Any]) -> None:
    """Assert what the schema does not say of one event."""
    kind, action = event["type"], event.get("action")
    things = {
        "ObjectEvent": ("epcList", "quantityList"),
        "TransactionEvent": ("epcList", "quantityList"),
        "AggregationEvent": ("childEPCs", "childQuantityList"),
        "TransformationEvent": ("outputEPCList", "outputQuantityList"),
    }[kind]
    assert any(event.get(name) for name in things), "an event is about something"
    if kind == "TransformationEvent":
        assert action is None
        assert event.get("inputEPCList") or event.get("inputQuantityList")
        assert event.get("bizStep") != "assembling", "CBV 7.1 keeps this word for aggregations"
    if kind == "AggregationEvent":
        assert event["parentID"] not in event.get("childEPCs", [])
    if "ilmd" in event:
        assert (kind, action) in {("ObjectEvent", "ADD"), ("TransformationEvent", None)}, "EPCIS 7.4.2"
    if event.get("disposition") in {"in_transit", "retail_sold", "destroyed", "inactive", "unknown"}:
        assert "bizLocation" not in event, "nobody knows where it is now"
    declared = event.get("errorDeclaration", {})
    if declared.get("reason") == "did_not_occur":
        assert "correctiveEventIDs" not in declared, "CBV 7.5"
    for element in _elements(event):
        assert isinstance(element["quantity"], int)
        assert element["quantity"] > 0, "EPCIS 7.3.3.3"
    for prefix in (name.partition(":")[0] for name in event if ":" in name):
        assert prefix in _PREFIXES, "an extension's prefix is in @context or is CBV's own"
    for text in _texts(event):
        if text.startswith("https://id.gs1.org/"):
            key = _KEY.fullmatch(text)
            assert key, f"{text} is no Digital Link of the kinds that EPCIS knows"
            assert has_valid_check_digit(next(filter(None, key.groups()))), text


def _elements(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in event.items():
        if name.lower().endswith("quantitylist"):
            yield from value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)

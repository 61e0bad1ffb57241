"""Questions and choices as canonical JSON: kept with a decision, so that it can be made again bit for bit."""

from __future__ import annotations

from typing import TypeVar

from bodega.core.routing.choice import Choice
from bodega.core.routing.inputs import Inputs
from bodega.core.routing.shapes import Reader, canonical, loads, plain
from bodega.errors import InvalidInput
from bodega.limits_hub import ROUTING_RECORD_BYTES_MAX

Recorded = TypeVar("Recorded", Inputs, Choice)


def inputs_to_json(inputs: Inputs) -> bytes:
    """The one spelling of a question."""
    return canonical(plain(inputs))


def inputs_from_json(body: bytes) -> Inputs:
    """The question that was recorded. Raises InvalidInput with every fault."""
    return recorded(Inputs, json_in(body, "the question"), "the question")


def choice_to_json(choice: Choice) -> bytes:
    """The one spelling of a choice."""
    return canonical(plain(choice))


def choice_from_json(body: bytes) -> Choice:
    """The choice that was recorded. Raises InvalidInput with every fault."""
    return recorded(Choice, json_in(body, "the choice"), "the choice")


def json_in(body: bytes, what: str) -> object:
    """The JSON of a record of a bearable size. Raises InvalidInput."""
    if len(body) > ROUTING_RECORD_BYTES_MAX:
        raise InvalidInput(f"{what} must have {ROUTING_RECORD_BYTES_MAX} bytes at most, has {len(body)}")
    return loads(body, what)


def recorded(kind: type[Recorded], said: object, what: str) -> Recorded:
    """What this JSON says. Raises InvalidInput with every fault."""
    reader = Reader()
    found = reader.read(kind, said, "")
    if found is None:
        raise InvalidInput(f"{what} is not as it was recorded", faults=tuple(reader.faults))
    return found

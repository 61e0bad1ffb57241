"""Questions and choices as rows: what their canonical JSON says, in a third of its bytes and of the time to write them.

The hub writes both with every order. What is alike for all nodes is a row of values for each, in the order of the names
below; a field that is added later goes to their end, and is as by default where it was not recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeVar

from bodega.core.routing.choice import Choice
from bodega.core.routing.inputs import Inputs
from bodega.core.routing.record import json_in, recorded
from bodega.core.routing.shapes import canonical, plain
from bodega.errors import InvalidInput

Said = TypeVar("Said", Inputs, Choice)

_SITE = (
    "node_id",
    "latitude",
    "longitude",
    "kind",
    "country",
    "open_orders",
    "capacity_orders",
    "silent_s",
    "local_minute",
    "weekday",
)
_STANDING = ("sellable", "node_rights", "reserved", "safety_stock", "held_back")
_JUDGED = ("node_id", "distance_km", "eligible", "scores")
_REASON = ("code", "text")
_site, _standing, _judged, _reason = (attrgetter(*names) for names in (_SITE, _STANDING, _JUDGED, _REASON))


def inputs_to_rows(inputs: Inputs) -> bytes:
    """The inverse of `inputs_from_rows`; of the same question, in whatever order its maps come, the same bytes."""
    sites = inputs.sites
    skus = sorted({sku_id for site in sites for sku_id in site.standings})
    return canonical(
        {
            "question": plain(replace(inputs, sites=())),
            "skus": skus,
            "sites": list(map(_site, sites)),
            "standings": [
                [_standing(held[sku_id]) if sku_id in held else None for sku_id in skus]
                for held in (site.standings for site in sites)
            ],
            "offers": {str(place): plain(site.offers) for place, site in enumerate(sites) if site.offers},
            "labels": {str(place): dict(site.labels) for place, site in enumerate(sites) if site.labels},
        }
    )


def inputs_from_rows(body: bytes) -> Inputs:
    """The question that was recorded. Raises InvalidInput with every fault."""
    return recorded(Inputs, _plain(body, "the question", _plain_inputs), "the question")


def choice_to_rows(choice: Choice) -> bytes:
    """The inverse of `choice_from_rows`; of the same choice the same bytes."""
    return canonical(
        {
            "choice": plain(replace(choice, candidates=())),
            "candidates": [
                ([_reason(reason) for reason in one.reasons], *_judged(one)) for one in choice.candidates
            ],
        }
    )


def choice_from_rows(body: bytes) -> Choice:
    """The choice that was recorded. Raises InvalidInput with every fault."""
    return recorded(Choice, _plain(body, "the choice", _plain_choice), "the choice")


def _plain(body: bytes, what: str, of: Callable[[Any], dict[str, object]]) -> dict[str, object]:
    """As the canonical JSON has it, for the one reader that checks it."""
    try:
        return of(json_in(body, what))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{what} is not as it was recorded: {error!r}") from error


def _plain_inputs(said: Any) -> dict[str, object]:
    sites = [
        {
            **dict(zip(_SITE, row, strict=False)),
            "standings": {
                sku_id: dict(zip(_STANDING, units, strict=False))
                for sku_id, units in zip(said["skus"], standings, strict=True)
                if units is not None
            },
            "offers": said["offers"].get(str(place), []),
            "labels": said["labels"].get(str(place), {}),
        }
        for place, (row, standings) in enumerate(zip(said["sites"], said["standings"], strict=True))
    ]
    return {**said["question"], "sites": sites}


def _plain_choice(said: Any) -> dict[str, object]:
    candidates = [
        {
            **dict(zip(_JUDGED, row, strict=False)),
            "reasons": [dict(zip(_REASON, reason, strict=False)) for reason in reasons],
        }
        for reasons, *row in said["candidates"]
    ]
    return {**said["choice"], "candidates": candidates}

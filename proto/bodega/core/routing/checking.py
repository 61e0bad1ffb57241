"""Whether a bundle that can be read may be put in force: its golden cases, the same answer each time, soon enough.

It is tried with its own golden cases, and with one order of three lines over fifty nodes that every bundle must bear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from bodega.core.promise import Standing
from bodega.core.routing.alone import WITHIN_SITE, decide_alone
from bodega.core.routing.bundle import Bundle
from bodega.core.routing.choice import Choice
from bodega.core.routing.decide import decide
from bodega.core.routing.document import Expected, Golden
from bodega.core.routing.inputs import Destination, Inputs, Line, Offer, Shelf, Site, Walk
from bodega.core.routing.record import choice_to_json, inputs_from_json, inputs_to_json
from bodega.core.routing.shelves import has_rules
from bodega.errors import FieldFault
from bodega.limits_hub import ROUTING_CHECK_REPEATS, ROUTING_DECIDE_MS_MAX

Answer: TypeAlias = Callable[[Inputs], Choice]

_MOMENT_MS = 1_800_000_000_000


def check(bundle: Bundle, clock: Callable[[], float]) -> tuple[FieldFault, ...]:
    """All that speaks against a bundle. `clock`: seconds, to measure by; the quickest of some tries counts.

    One that is too slow for what all must bear is not put to its golden cases: they may be many and large.
    """
    hard = [Golden("fifty-nodes", hard_question(), Expected())]
    if has_rules(bundle):
        hard.append(Golden("hundred-shelves", hard_walk(), Expected(), WITHIN_SITE))
    if slow := tuple(fault for one in hard for fault in _slow(bundle, one.name, one, clock)):
        return slow
    faults: list[FieldFault] = []
    for number, golden in enumerate(bundle.document.golden):
        where = f"golden[{number}] {golden.name}"
        for answer in _answers(bundle, golden):
            faults += _unsteady(answer, golden.inputs, where=where)
        (answer, *_) = _answers(bundle, golden)
        faults += (FieldFault(where, problem) for problem in _unlike(answer(golden.inputs), golden.expect))
        faults += _slow(bundle, where, golden, clock)
    return tuple(faults)


def _answers(bundle: Bundle, golden: Golden) -> tuple[Answer, ...]:
    """How its question is decided: by the node that asks itself; or by the hub, and also by the stages for nodes."""
    if golden.decision:
        return (partial(decide_alone, bundle, golden.decision),)
    return partial(decide, bundle), partial(decide, bundle, edge=True)


def _unsteady(answer: Answer, inputs: Inputs, *, where: str) -> Iterator[FieldFault]:
    """Rules that fail, and answers that another order of the nodes or a recording changes."""
    choice = answer(inputs)
    for one in choice.candidates:
        for reason in one.reasons:
            if reason.code == "rule-failed":
                yield FieldFault(where, f"a rule fails at {one.node_id}: {reason.text}")
    for note in choice.notes:
        if note.code == "rule-failed":
            yield FieldFault(where, f"a rule fails: {note.text}")
    walk = replace(inputs.walk, shelves=inputs.walk.shelves[::-1])
    turned = replace(inputs, sites=inputs.sites[::-1], lines=inputs.lines[::-1], walk=walk)
    recorded = inputs_from_json(inputs_to_json(inputs))
    for again, what in ((turned, "when nodes and lines come in another order"), (recorded, "once recorded")):
        if choice_to_json(answer(again)) != choice_to_json(choice):
            yield FieldFault(where, f"is answered another way {what}")


def _unlike(choice: Choice, expected: Expected) -> Iterator[str]:
    """How a choice differs from what a golden case expects."""
    shares = sorted(choice.shares, key=lambda share: share.node_id)
    nodes = [share.node_id for share in shares]
    if nodes != sorted(expected.nodes):
        why = "; ".join(
            f"{one.node_id}: {one.reasons[0].text}" for one in choice.candidates[:3] if one.reasons
        )
        yield f"expects {_named(sorted(expected.nodes))}, is {_named(nodes)} ({why})"
    elif expected.services:
        services = dict(zip(expected.nodes, expected.services, strict=False))
        wrong = [share for share in shares if share.service != services.get(share.node_id, share.service)]
        for share in wrong:
            yield f"expects {services[share.node_id]} from {share.node_id}, is {share.service or 'no service'}"
    if expected.stage not in ("", choice.stage):
        yield f"expects stage {expected.stage}, is {choice.stage or 'none'}"


def _named(nodes: list[str]) -> str:
    return ", ".join(nodes) or "no node"


def _slow(bundle: Bundle, where: str, golden: Golden, clock: Callable[[], float]) -> Iterator[FieldFault]:
    """Too long a time in every one of the tries; the first that is soon enough is the last."""
    (answer, *_) = _answers(bundle, golden)
    took_ms = []
    for _ in range(ROUTING_CHECK_REPEATS):
        begun = clock()
        answer(golden.inputs)
        took_ms.append((clock() - begun) * 1000)
        if took_ms[-1] <= ROUTING_DECIDE_MS_MAX:
            return
    yield FieldFault(where, f"took {min(took_ms):.0f} ms to decide, {ROUTING_DECIDE_MS_MAX:.0f} at most")


def hard_question(nodes: int = 50, lines: int = 3) -> Inputs:
    """An order that no node has all of, so that every stage and the search for parts have their work."""
    asked = tuple(
        Line(number, f"SKU-{number}", 4, weight_g=500, volume_ml=900) for number in range(1, lines + 1)
    )
    offers = tuple(
        Offer(f"SERVICE-{number}", "carrier", "standard", 400 + number, "EUR", "2027-01-15", "2027-01-18")
        for number in range(3)
    )
    sites = tuple(
        Site(
            f"node-{number:03}",
            36.0 + number % 7,
            -9.0 + number % 11,
            {line.sku_id: Standing(40 if (number + line.line) % 4 == 0 else 3) for line in asked},
            kind="store",
            country="PT",
            open_orders=number,
            capacity_orders=100,
            offers=offers,
            local_minute=600,
            weekday=5,
        )
        for number in range(nodes)
    )
    return Inputs(
        _MOMENT_MS,
        "storefront",
        "parcel",
        "standard",
        asked,
        Destination("PT", "1000-001", 38.72, -9.14),
        sites,
        shares_max=6,
    )


def hard_walk(shelves: int = 100) -> Inputs:
    """A SKU that lies on so many shelves of a node, a few units on each, and none of them is enough."""
    there = tuple(
        Shelf(f"A-{number:03}", 1 + number % 3, walk_order=number, kind="pick_face")
        for number in range(shelves)
    )
    asked = (Line(1, "SKU-1", 3 * shelves, weight_g=500, volume_ml=900),)
    alone = replace(hard_question(1), lines=asked)
    return replace(alone, walk=Walk(there))

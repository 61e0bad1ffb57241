"""Which shelves of a node serve what is asked of one SKU: how a walk is planned, and the same as a decision.

By itself a walk takes what must go first (first expired, first out); of that the fewest bins that hold enough, and
among equals the one nearer to the door. A bundle may have rules about shelves: its filters say which may not serve, its
scores which of those that must go first are better. A bundle without them leaves it to the walk, and needs no engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from bodega.core.routing.bundle import Bundle, compiled
from bodega.core.routing.choice import Choice, Judged, Reason, Share
from bodega.core.routing.expressions import RuleFailed
from bodega.core.routing.inputs import Inputs, Shelf
from bodega.core.routing.question import Candidate, Question
from bodega.core.routing.values import Values

STAGE = "within-site"
Place = tuple[str, str]


class OnShelf(Protocol):
    """Units in a bin, as far as a walk must know them."""

    @property
    def bin_id(self) -> str:
        """Its bin."""

    @property
    def lot(self) -> str:
        """Its lot, or empty."""

    @property
    def quantity(self) -> int:
        """Base units, above zero."""

    @property
    def first_out(self) -> str:
        """Sorts lots: what must go first has the least."""


Held = TypeVar("Held", bound=OnShelf)


def next_shelf(
    shelves: Sequence[Held],
    missing: int,
    *,
    at_bin: str = "",
    lot: str = "",
    costs: Mapping[Place, float] | None = None,
) -> Held:
    """The shelf to take `missing` units from first; `shelves` of one SKU, in walking order, at least one.

    A `lot` that a person takes at `at_bin` comes before all. `costs` by bin and lot: of what must go first, the least.
    """
    said = [one for one in shelves if lot and (one.bin_id, one.lot) == (at_bin, lot)]
    if said:
        return said[0]
    first = min(one.first_out for one in shelves)
    able = [one for one in shelves if one.first_out == first]
    if costs:
        least = min(costs.get((one.bin_id, one.lot), 0.0) for one in able)
        able = [one for one in able if costs.get((one.bin_id, one.lot), 0.0) == least]
    here = [one for one in able if one.bin_id == at_bin]
    enough = [one for one in able if one.quantity >= missing]
    # The fullest shelves until one of the rest is enough: that is the fewest bins. Ties: walking order.
    return (here or enough or [max(able, key=lambda one: one.quantity)])[0]


def choose_shelves(bundle: Bundle, inputs: Inputs) -> Choice:
    """Which shelves of `inputs.walk` serve the lines, all of one SKU, in turn; what they lack is `unserved`.

    Candidates are shelves by name, those that serve first; a bin in `passed_over` is not asked.
    """
    question = Question.of(inputs)
    shelves = sorted(inputs.walk.shelves, key=lambda one: (one.walk_order, one.bin_id, one.lot))
    judged = list(_judged(bundle, question, shelves))
    able = [shelf for shelf, reasons, _scores in judged if not reasons]
    costs = {(shelf.bin_id, shelf.lot): scores["total"] for shelf, _reasons, scores in judged if scores}
    taken, unserved = _taken(inputs, able, costs)
    place = {name: number for number, name in enumerate(taken)}
    told = [
        Judged(
            shelf.name,
            0.0,
            not reasons,
            tuple(reasons) or (Reason("holds-some", f"{shelf.quantity} by the book"),),
            scores,
        )
        for shelf, reasons, scores in judged
    ]
    told.sort(key=lambda one: (not one.eligible, place.get(one.node_id, len(place))))
    shares = tuple(Share(name, dict(sorted(units.items()))) for name, units in taken.items())
    return Choice(shares, bundle.rule, tuple(told), unserved=unserved, stage=STAGE if shares else "")


def has_rules(bundle: Bundle) -> bool:
    """Whether a bundle says anything about shelves."""
    return bool(bundle.document.edge.shelf_filters or bundle.document.edge.shelf_scores)


def _judged(
    bundle: Bundle, question: Question, shelves: Sequence[Shelf]
) -> Iterator[tuple[Shelf, list[Reason], dict[str, float]]]:
    """Each shelf with why it may not serve, or with its scores if the bundle has rules about shelves."""
    passed_over = question.inputs.passed_over
    judge = _Judge(bundle, question) if has_rules(bundle) and shelves else None
    for shelf in shelves:
        if shelf.bin_id in passed_over:
            yield shelf, [Reason("passed-over", passed_over[shelf.bin_id])], {}
        elif judge is None:
            yield shelf, [], {}
        else:
            yield shelf, *judge.judged(shelf)


class _Judge:
    """Asks the rules of a bundle about one shelf after the other."""

    def __init__(self, bundle: Bundle, question: Question) -> None:
        rules = compiled(bundle)
        self._rules = rules.shelves
        (self._item,) = question.items
        node = Candidate.of(question, question.inputs.sites[0])
        self._values = Values(rules.tables)
        subjects: Mapping[str, object] = {"order": question, "node": node, "item": self._item}
        for scope, subject in subjects.items():
            facts = self._rules.facts[scope]
            self._values.set({name: fact.of(subject) for name, fact in facts.items()})

    def judged(self, shelf: Shelf) -> tuple[list[Reason], dict[str, float]]:
        """Why it may not serve, or its scores with their total."""
        facts = self._rules.facts["shelf"]
        self._values.set({name: fact.of(shelf, self._item) for name, fact in facts.items()})
        try:
            barred = [
                Reason(one.name, one.why) for one in self._rules.sieves if not one.rule.holds(self._values)
            ]
            if barred:
                return barred, {}
            scores = {
                one.name: round(one.weight * one.rule.number(self._values), 6) for one in self._rules.measures
            }
        except RuleFailed as failed:
            return [Reason("rule-failed", str(failed))], {}
        return [], {**scores, "total": round(sum(scores.values()), 6)}


def _taken(
    inputs: Inputs, shelves: Iterable[Shelf], costs: Mapping[Place, float]
) -> tuple[dict[str, dict[int, int]], dict[int, int]]:
    """Units by shelf and line, the shelves as they are chosen; and what no shelf has left, by line."""
    left = list(shelves)
    taken: dict[str, dict[int, int]] = {}
    unserved: dict[int, int] = {}
    for line in sorted(inputs.lines, key=lambda one: one.line):
        missing = line.quantity
        while missing and left:
            shelf = next_shelf(left, missing, at_bin=inputs.walk.at_bin, lot=inputs.walk.lot, costs=costs)
            units = min(missing, shelf.quantity)
            taken.setdefault(shelf.name, {})[line.line] = units
            number, rest = left.index(shelf), replace(shelf, quantity=shelf.quantity - units)
            left[number : number + 1] = [rest] if rest.quantity else []
            missing -= units
        if missing:
            unserved[line.line] = missing
    return taken, unserved

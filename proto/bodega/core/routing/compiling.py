"""From a bundle's document to rules that run: what the fields mean together, with every fault at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bodega import limits_hub as limits
from bodega.core.routing.document import EDGE_DECISIONS, FORMAT, Document, Edge, Filter, Stage
from bodega.core.routing.expressions import CONDITION, FUNCTIONS, NUMBER, Compiler, Rule
from bodega.core.routing.facts import FACTS, OF_NODES, OF_SHELVES, Fact
from bodega.core.routing.tables import Lookup, faults_of
from bodega.errors import FieldFault

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_RANKED_BY = ("order", "node")
# What the engine itself says of a node.
OWN_CODES = frozenset(
    {
        "another-node-asked",
        "can-promise",
        "can-promise-part",
        "has-rights",
        "holds-some",
        "insufficient-stock",
        "not-for-nodes",
        "passed-over",
        "rule-failed",
    }
)


@dataclass(frozen=True, slots=True)
class Sieve:
    """A compiled filter."""

    name: str
    why: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Measure:
    """A compiled score."""

    name: str
    weight: float
    rule: Rule


@dataclass(frozen=True, slots=True)
class Attempt:
    """A compiled stage: `when` it is made, the sieves and the floor that hold in it.

    Sieves by what they are judged for: "node", "item" or "offer". Attempts of one `key` judge nodes alike.
    """

    name: str
    shares_max: int
    split_cost: float
    when: Rule
    sieves: Mapping[str, tuple[Sieve, ...]]
    floor: Rule

    @property
    def key(self) -> tuple[object, ...]:
        """What its judgement depends on."""
        return (self.floor.source, *(one.name for some in self.sieves.values() for one in some))


@dataclass(frozen=True, slots=True)
class ShelfRules:
    """The rules of a node's own shelves, with the facts that they look at."""

    sieves: tuple[Sieve, ...]
    measures: tuple[Measure, ...]
    facts: Mapping[str, Mapping[str, Fact]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """All that runs.

    `facts`: those that any rule looks at, by what they are of ("order", "node", "late", "item", "offer") and variable;
    "late" are the node's that follow from its stock and services.
    """

    attempts: tuple[Attempt, ...]
    edge_attempts: tuple[Attempt, ...]
    measures: tuple[Measure, ...]
    ties: tuple[Rule, ...]
    tables: Mapping[str, Lookup]
    facts: Mapping[str, Mapping[str, Fact]]
    shelves: ShelfRules


def compile_document(document: Document) -> tuple[Compiled, tuple[FieldFault, ...]]:
    """The rules, and all that is wrong with them: with any fault they must not run."""
    faults = [*_bounds(document), *_names(document)]
    taken = FUNCTIONS | FACTS.keys()
    faults += (fault for name, table in document.tables.items() for fault in faults_of(name, table, taken))
    compiler = Compiler({name: Lookup.of(table) for name, table in document.tables.items()}, faults)
    sieves = [_sieve(compiler, f"filters[{number}]", one) for number, one in enumerate(document.filters)]
    measures = tuple(
        Measure(one.name, one.weight, compiler.rule(f"scores[{number}].value", one.value, NUMBER, _RANKED_BY))
        for number, one in enumerate(document.scores)
    )
    ties = tuple(
        compiler.rule(f"ties[{number}]", source, NUMBER, _RANKED_BY)
        for number, source in enumerate(document.ties)
    )
    floor = _floor(compiler, "floor", document.floor)
    attempts = _attempts(compiler, "stages", document.stages, floor, sieves)
    edge = _attempts(compiler, "edge.stages", document.edge.stages, floor, sieves)
    stage_rules = (rule for one in (*attempts, *edge) for rule in (one.when, one.floor))
    rules = (*(one.rule for one in sieves), *(one.rule for one in measures), *ties, *stage_rules)
    facts = _facts(rules)
    shelves = _shelf_rules(compiler, document.edge)
    compiled = Compiled(attempts, edge or attempts, measures, ties, compiler.tables, facts, shelves)
    return compiled, tuple(faults)


def _sieve(compiler: Compiler, where: str, one: Filter) -> Sieve:
    """Stock and services follow from the filters of items and offers, so those may not look at what follows."""
    first = compiler.judged_first(one.keep)
    return Sieve(
        one.name, one.why, compiler.rule(f"{where}.keep", one.keep, CONDITION, OF_NODES, late=not first)
    )


def _shelf_rules(compiler: Compiler, edge: Edge) -> ShelfRules:
    """Nothing that follows from a node's stock or services may be looked at: nobody has asked for them."""
    sieves = tuple(
        Sieve(
            one.name,
            one.why,
            compiler.rule(f"edge.shelf_filters[{number}].keep", one.keep, CONDITION, OF_SHELVES, late=False),
        )
        for number, one in enumerate(edge.shelf_filters)
    )
    measures = tuple(
        Measure(
            one.name,
            one.weight,
            compiler.rule(f"edge.shelf_scores[{number}].value", one.value, NUMBER, OF_SHELVES, late=False),
        )
        for number, one in enumerate(edge.shelf_scores)
    )
    rules = [*(one.rule for one in sieves), *(one.rule for one in measures)]
    return ShelfRules(sieves, measures, _facts(rules))


def _floor(compiler: Compiler, where: str, source: str) -> Rule:
    return compiler.rule(where, source, NUMBER, _RANKED_BY, late=False)


def _attempts(
    compiler: Compiler, where: str, stages: Iterable[Stage], floor: Rule, sieves: Sequence[Sieve]
) -> tuple[Attempt, ...]:
    known = {one.name for one in sieves}
    found: list[Attempt] = []
    for number, stage in enumerate(stages):
        here = f"{where}[{number}]"
        compiler.faults += (
            FieldFault(f"{here}.without", f"there is no filter '{name}'")
            for name in stage.without
            if name not in known
        )
        own_floor = _floor(compiler, f"{here}.floor", stage.floor) if stage.floor else floor
        when = compiler.rule(f"{here}.when", stage.when, CONDITION, ("order",))
        kept = [one for one in sieves if one.name not in stage.without]
        by_scope = {
            scope: tuple(one for one in kept if _judged_for(one.rule) == scope)
            for scope in ("node", "item", "offer")
        }
        found.append(Attempt(stage.name, stage.shares_max, stage.split_cost, when, by_scope, own_floor))
    return tuple(found)


def _judged_for(rule: Rule) -> str:
    return next((scope for scope in ("item", "offer") if scope in rule.scopes), "node")


def _facts(rules: Iterable[Rule]) -> dict[str, dict[str, Fact]]:
    found: dict[str, dict[str, Fact]] = {scope: {} for scope in (*FACTS, "late")}
    for rule in rules:
        for variable, fact in rule.facts.items():
            found["late" if fact.late else variable.partition("_")[0]][variable] = fact
    return found


def _names(document: Document) -> Iterator[FieldFault]:
    groups = {
        "filters": [one.name for one in document.filters],
        "scores": [one.name for one in document.scores],
        "stages": [one.name for one in document.stages],
        "edge.stages": [one.name for one in document.edge.stages],
        "edge.shelf_filters": [one.name for one in document.edge.shelf_filters],
        "edge.shelf_scores": [one.name for one in document.edge.shelf_scores],
    }
    for where, names in (("name", [document.name]), *groups.items()):
        for number, name in enumerate(names):
            if not _NAME.fullmatch(name) or len(name) > limits.ROUTING_NAME_CHARS_MAX:
                here = where if where == "name" else f"{where}[{number}].name"
                yield FieldFault(here, f"must be small words joined by '-', is {ascii(name)[:60]}")
    for where, names in (*groups.items(), ("golden", [one.name for one in document.golden])):
        for name, times in Counter(names).items():
            if times > 1:
                yield FieldFault(where, f"'{name}' is there {times} times")
    for where in ("filters", "edge.shelf_filters"):
        for number, name in enumerate(groups[where]):
            if name in OWN_CODES:
                yield FieldFault(
                    f"{where}[{number}].name", f"'{name}' is a reason that the engine gives itself"
                )


def _bounds(document: Document) -> Iterator[FieldFault]:
    for where, value, least, most in _bounded(document):
        if not least <= value <= most:
            yield FieldFault(where, f"must be {least:g} to {most:g}, is {value:g}")
    for number, decision in enumerate(document.edge.allows):
        if decision not in EDGE_DECISIONS:
            yield FieldFault(f"edge.allows[{number}]", f"must be one of {', '.join(EDGE_DECISIONS)}")
    for number, golden in enumerate(document.golden):
        if golden.decision and golden.decision not in EDGE_DECISIONS:
            yield FieldFault(f"golden[{number}].decision", f"must be one of {', '.join(EDGE_DECISIONS)}")
        elif golden.decision and len(golden.inputs.sites) != 1:
            yield FieldFault(f"golden[{number}].inputs.sites", "must be the one node that asks itself")


def _bounded(document: Document) -> Iterator[tuple[str, float, float, float]]:
    """What there may be too little or too much of: where, how much, the least and the most."""
    edge = document.edge
    yield "format", document.format, FORMAT, FORMAT
    yield "version", document.version, 1, limits.ROUTING_BUNDLE_VERSIONS_MAX
    yield "stages", len(document.stages), 1, limits.ROUTING_STAGES_MAX
    yield "edge.stages", len(edge.stages), 0, limits.ROUTING_STAGES_MAX
    of_shelves = len(edge.shelf_filters) + len(edge.shelf_scores)
    yield "edge.shelf_filters and shelf_scores", of_shelves, 0, limits.ROUTING_SHELF_RULES_MAX
    rules = len(document.filters) + len(document.scores) + len(document.ties)
    yield "filters, scores and ties", rules, 0, limits.ROUTING_RULES_MAX
    yield "tables", len(document.tables), 0, limits.ROUTING_TABLES_MAX
    yield "golden", len(document.golden), 0, limits.ROUTING_GOLDEN_CASES_MAX
    yield "notes", len(document.notes), 0, limits.ROUTING_NOTES_CHARS_MAX
    for where, stages in (("stages", document.stages), ("edge.stages", document.edge.stages)):
        for number, stage in enumerate(stages):
            yield f"{where}[{number}].shares_max", stage.shares_max, 1, limits.ROUTING_SHARES_MAX
            yield f"{where}[{number}].split_cost", stage.split_cost, 0, limits.ROUTING_WEIGHT_RATIO_MAX
    for where, scores in (("scores", document.scores), ("edge.shelf_scores", edge.shelf_scores)):
        for number, score in enumerate(scores):
            bound = limits.ROUTING_WEIGHT_RATIO_MAX
            yield f"{where}[{number}].weight", score.weight, -bound, bound
    for where, filters in (("filters", document.filters), ("edge.shelf_filters", edge.shelf_filters)):
        for number, one in enumerate(filters):
            yield f"{where}[{number}].why (characters)", len(one.why), 1, limits.ROUTING_TEXT_CHARS_MAX

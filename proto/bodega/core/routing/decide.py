"""Which nodes serve an order, and why not the others: stages of a bundle, one after the other, until one chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bodega.core.routing.bundle import Bundle, compiled
from bodega.core.routing.choice import Choice, Judged, Reason, Share
from bodega.core.routing.compiling import Attempt
from bodega.core.routing.covering import Cover, cheapest_cover
from bodega.core.routing.expressions import RuleFailed
from bodega.core.routing.inputs import Inputs
from bodega.core.routing.judging import Judge
from bodega.core.routing.question import Candidate, Question
from bodega.limits_hub import ROUTING_SHARES_MAX


def decide(bundle: Bundle, inputs: Inputs, *, edge: bool = False) -> Choice:
    """The same choice for the same inputs, in whatever order their sites come. `edge`: by the stages for nodes."""
    rules = compiled(bundle)
    question = Question.of(inputs)
    judge = Judge(rules, question)
    demand = {item.sku_id: item.quantity for item in question.items}
    notes: list[Reason] = []
    judged: tuple[Judged, ...] = ()
    seen: dict[tuple[object, ...], list[Candidate]] = {}
    for attempt in rules.edge_attempts if edge else rules.attempts:
        if not _is_meant(judge, attempt, notes):
            continue
        if attempt.key not in seen:
            seen[attempt.key] = judge.judged(attempt)
        nodes = seen[attempt.key]
        shares_max = _shares_max(inputs, attempt)
        judged = _told(nodes, whole=shares_max == 1)
        able = sorted(
            (node for node in nodes if _may_serve(node, whole=shares_max == 1)),
            key=lambda node: (*node.rank, node.site.node_id),
        )
        cover = cheapest_cover(demand, able, shares_max, attempt.split_cost) if demand else None
        if cover is not None:
            if not cover.complete:
                notes.append(Reason("search-cut-short", f"{attempt.name}: there may be a cheaper split"))
            shares = tuple(_shares(question, cover))
            return Choice(shares, bundle.rule, judged, stage=attempt.name, notes=tuple(notes))
        notes.append(Reason("stage-found-none", f"{attempt.name}: {_why_none(able, shares_max)}"))
    unserved = {line.line: line.quantity for line in inputs.lines}
    return Choice((), bundle.rule, judged, unserved=unserved, notes=tuple(notes))


def _is_meant(judge: Judge, attempt: Attempt, notes: list[Reason]) -> bool:
    try:
        if judge.is_meant(attempt):
            return True
        notes.append(Reason("stage-not-meant", f"{attempt.name}: is not for this order"))
    except RuleFailed as failed:
        notes.append(Reason("rule-failed", f"{attempt.name}: {failed}"))
    return False


def _shares_max(inputs: Inputs, attempt: Attempt) -> int:
    if inputs.ship_complete or inputs.at_node:
        return 1
    return max(1, min(inputs.shares_max, attempt.shares_max, ROUTING_SHARES_MAX))


def _may_serve(node: Candidate, *, whole: bool) -> bool:
    return not node.refused and (node.covers_all if whole else any(node.gives.values()))


def _why_none(able: list[Candidate], shares_max: int) -> str:
    if shares_max == 1:
        return "no node may serve all of it"
    return f"{len(able)} nodes may serve some of it, no {shares_max} of them all of it"


def _told(nodes: Iterable[Candidate], *, whole: bool) -> tuple[Judged, ...]:
    """Every node with its reasons: those that may serve by rank, the others by distance."""
    able = [node for node in nodes if _may_serve(node, whole=whole)]
    others = [node for node in nodes if not _may_serve(node, whole=whole)]
    able.sort(key=lambda node: (*node.rank, node.site.node_id))
    others.sort(key=lambda node: (node.distance_km, node.site.node_id))
    return (
        *(_judged(node, (_fits(node),), eligible=True) for node in able),
        *(_judged(node, (*node.refused, *node.lacks), eligible=False) for node in others),
    )


def _judged(node: Candidate, reasons: tuple[Reason, ...], *, eligible: bool) -> Judged:
    scores = {**node.scores, "total": node.total} if eligible else {}
    return Judged(node.site.node_id, node.distance_km, eligible, reasons, scores)


def _fits(node: Candidate) -> Reason:
    if node.covers_all:
        return Reason(
            "can-promise", f"holds all of it above its safety stock, {node.distance_km:.1f} km away"
        )
    missing = "; ".join(reason.text for reason in node.lacks)
    return Reason(
        "can-promise-part", f"{sum(node.gives.values())} units, {node.distance_km:.1f} km away; {missing}"
    )


def _shares(question: Question, cover: Cover) -> Iterable[Share]:
    """The best node gives all that it may, the next ones what is left."""
    quantities: list[dict[int, int]] = [{} for _ in cover.nodes]
    for item in question.items:
        passed = 0
        for node, units in zip(cover.nodes, quantities, strict=True):
            taken = min(node.gives[item.sku_id], item.quantity - passed)
            units.update(item.by_line(taken, passed))
            passed += taken
    for node, units in zip(cover.nodes, quantities, strict=True):
        if units:
            yield _share(node, dict(sorted(units.items())))


def _share(node: Candidate, units: Mapping[int, int]) -> Share:
    offer = node.offer
    if offer is None:
        return Share(node.site.node_id, units)
    return Share(node.site.node_id, units, offer.service, offer.price_minor)

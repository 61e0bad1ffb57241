"""How every node stands before a question: what it may serve, with which carrier service, why not, and its scores."""

from __future__ import annotations

from bodega.core.promise import Standing
from bodega.core.routing.choice import Reason
from bodega.core.routing.compiling import Attempt, Compiled, Sieve
from bodega.core.routing.expressions import RuleFailed
from bodega.core.routing.question import Candidate, Item, Question
from bodega.core.routing.values import Values
from bodega.limits_hub import ROUTING_LACKS_TOLD_MAX

_NOT_HELD = Standing(0)


class Judge:
    """Judges all nodes of one question. What is asked about is put together once, for the order; nodes change it."""

    def __init__(self, compiled: Compiled, question: Question) -> None:
        self._compiled = compiled
        self._question = question
        self._values = Values(compiled.tables)
        self._set("order", question)

    def is_meant(self, attempt: Attempt) -> bool:
        """Whether a stage is for this order. Raises RuleFailed."""
        return attempt.when.holds(self._values)

    def judged(self, attempt: Attempt) -> list[Candidate]:
        """Every node, in the order of the inputs."""
        return [
            self._judged(Candidate.of(self._question, site), attempt) for site in self._question.inputs.sites
        ]

    def _judged(self, node: Candidate, attempt: Attempt) -> Candidate:
        node.refused += self._not_asked(node)
        if node.refused:
            return node
        self._set("node", node)
        try:
            self._see_stock(node, attempt)
            self._see_offers(node, attempt)
            self._set("late", node)
            for sieve in attempt.sieves["node"]:
                if not sieve.rule.holds(self._values):
                    node.refused.append(Reason(sieve.name, sieve.why))
            if not node.refused:
                self._rank(node)
        except RuleFailed as failed:
            node.refused.append(Reason("rule-failed", str(failed)))
        return node

    def _not_asked(self, node: Candidate) -> list[Reason]:
        inputs, node_id = self._question.inputs, node.site.node_id
        if node_id in inputs.passed_over:
            return [Reason("passed-over", inputs.passed_over[node_id])]
        if inputs.at_node not in ("", node_id):
            return [Reason("another-node-asked", f"is to be served at {inputs.at_node}")]
        return []

    def _see_stock(self, node: Candidate, attempt: Attempt) -> None:
        """What the node may serve of each item: what it may promise above the floor, if it may serve that at all."""
        floor = int(attempt.floor.number(self._values))
        sieves = attempt.sieves["item"]
        standings = node.site.standings
        for item in self._question.items:
            barred: list[Sieve] = []
            if sieves:
                self._set("item", item)
                barred = [one for one in sieves if not one.rule.holds(self._values)]
            standing = standings.get(item.sku_id, _NOT_HELD)
            room = 0 if barred else _room(standing, floor)
            if room >= item.quantity:
                node.gives[item.sku_id] = item.quantity
                node.stock_used = max(node.stock_used, round(item.quantity / room, 6))
                continue
            node.gives[item.sku_id] = room
            node.stock_used, node.covers_all = 1.0, False
            if len(node.lacks) < ROUTING_LACKS_TOLD_MAX:
                node.lacks += _lacking(item, standing, room, floor, barred)

    def _see_offers(self, node: Candidate, attempt: Attempt) -> None:
        """The carrier services that may be chosen, best first; with offers but none of them left it may not serve."""
        sieves = attempt.sieves["offer"]
        refused: list[Reason] = []
        for offer in node.site.offers:
            self._set("offer", node, offer)
            barred = [one for one in sieves if not one.rule.holds(self._values)]
            refused += (Reason(one.name, f"{offer.service}: {one.why}") for one in barred)
            if not barred:
                node.offers.append(offer)
        node.offers.sort(key=node.preference)
        if not node.offers:
            node.refused += refused

    def _rank(self, node: Candidate) -> None:
        for measure in self._compiled.measures:
            node.scores[measure.name] = round(measure.weight * measure.rule.number(self._values), 6)
        node.total = round(sum(node.scores.values()), 6)
        node.rank = (node.total, *(rule.number(self._values) for rule in self._compiled.ties))

    def _set(self, scope: str, *subject: object) -> None:
        facts = self._compiled.facts[scope]
        if facts:
            self._values.set({name: fact.of(*subject) for name, fact in facts.items()})


def _room(standing: Standing, floor: int) -> int:
    """What may be promised so that at least `floor` units stay, and never the safety stock."""
    kept = standing.node_rights + standing.reserved + standing.held_back + max(floor, standing.safety_stock)
    return max(0, standing.sellable - kept)


def _lacking(item: Item, standing: Standing, room: int, floor: int, barred: list[Sieve]) -> list[Reason]:
    if barred:
        return [Reason(one.name, f"{item.sku_id}: {one.why}") for one in barred]
    text = (
        f"{item.sku_id}: {item.quantity} wanted, {room} available "
        f"({standing.sellable} sellable, {standing.reserved} reserved, "
        f"{standing.node_rights} held by the node, {standing.held_back} kept back, "
        f"{max(floor, standing.safety_stock)} safety stock)"
    )
    return [Reason("insufficient-stock", text)]

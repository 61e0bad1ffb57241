"""What must hold after any run, whatever was cut, killed and mis-scanned. Pure: evidence in, broken rules out.

A rule answers with a sentence per breach, naming the thing that is wrong; no sentence means that it holds.
`tests/agent/demo/test_invariants.py` proves of each one that it can fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bodega_agent.demo import rules_goods, rules_orders, rules_people, rules_sync
from bodega_agent.demo.evidence import Evidence

Rule = Callable[[Evidence], list[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule and its breaches; `name` is the function's, `says` the first sentence of its text."""

    name: str
    says: str
    breaches: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the rule was kept."""
        return not self.breaches


INVARIANTS: tuple[Rule, ...] = (
    rules_orders.every_order_ends,
    rules_orders.shorts_are_honest,
    rules_orders.each_wish_is_one_order,
    rules_orders.the_api_tells_the_truth,
    rules_orders.nothing_is_oversold,
    rules_orders.each_parcel_has_one_label,
    rules_people.each_parcel_holds_what_was_ordered,
    rules_people.every_scan_says_who,
    rules_goods.units_balance,
    rules_goods.hands_and_books_agree,
    rules_goods.shelves_and_books_agree,
    rules_goods.node_and_centre_agree,
    rules_goods.books_are_the_sum_of_their_events,
    rules_goods.nothing_lies_about,
    rules_goods.the_scanner_is_obeyed,
    rules_sync.heads_agree,
    rules_sync.no_event_is_lost,
    rules_sync.no_event_is_doubled,
    rules_sync.chains_verify,
    rules_sync.the_broker_carried_the_record,
    rules_sync.the_audit_trail_verifies,
    rules_sync.everybody_stopped_in_time,
)


# What can be judged only after everything has stopped.
AT_THE_END = frozenset({rules_sync.everybody_stopped_in_time})


def judge(evidence: Evidence, *, running: bool = False) -> tuple[Finding, ...]:
    """Hold every rule against the evidence; while all is `running`, those that can be judged by now."""
    return tuple(
        Finding(rule.__name__, _first_line(rule), tuple(rule(evidence)))
        for rule in INVARIANTS
        if not (running and rule in AT_THE_END)
    )


def _first_line(rule: Rule) -> str:
    return (rule.__doc__ or "").strip().splitlines()[0].rstrip(".")

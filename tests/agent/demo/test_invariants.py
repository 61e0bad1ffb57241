"""Every rule of the demo's audit holds on true evidence, and breaks on evidence that is doctored against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bodega.core.ledger import Account, Disposition
from bodega.v1 import journal_pb2
from bodega_agent.demo.evidence import Evidence, Line, Order, Site, Wire, Work
from bodega_agent.demo.invariants import INVARIANTS, judge
from bodega_agent.demo.shop import Answer
from support.demo_evidence import BIN_A, NODE, SSCC_1, envelope_of, rows_of, true_evidence

Doctor = Callable[[Evidence], Evidence]

SHELF_A = Account("A", bin=BIN_A, disposition=Disposition.SELLABLE)


def broken(evidence: Evidence) -> set[str]:
    """Names of the rules that do not hold."""
    return {finding.name for finding in judge(evidence) if not finding.holds}


def centre(**changes: Any) -> Doctor:
    """Change what the hub's database holds."""
    return lambda e: replace(e, centre=replace(e.centre, **changes))


def floor(**changes: Any) -> Doctor:
    """Change what hands and devices know."""
    return site(lambda s: replace(s, floor=replace(s.floor, **changes)))


def ledger(**changes: Any) -> Doctor:
    """Change what the node's file holds."""
    return site(lambda s: replace(s, ledger=replace(s.ledger, **changes)))


def site(change: Callable[[Site], Site]) -> Doctor:
    """Change the one node."""
    return lambda e: replace(e, sites=(change(e.sites[0]),))


def order(number: int, **changes: Any) -> Doctor:
    """Change an order at the centre and at the API alike."""

    def doctor(evidence: Evidence) -> Evidence:
        orders = list(evidence.centre.orders)
        orders[number - 1] = replace(orders[number - 1], **changes)
        return replace(
            evidence,
            centre=replace(evidence.centre, orders=tuple(orders)),
            till=replace(evidence.till, orders=tuple(orders)),
        )

    return doctor


def receipt(number: int, **changes: Any) -> Doctor:
    """Change what the shop was told of one wish."""

    def doctor(evidence: Evidence) -> Evidence:
        receipts = list(evidence.till.receipts)
        receipts[number - 1] = replace(receipts[number - 1], **changes)
        return replace(evidence, till=replace(evidence.till, receipts=tuple(receipts)))

    return doctor


def _by(actor: str) -> bytes:
    event = journal_pb2.NodeEvent(device="scanner-1", actor=actor)
    event.movement.SetInParent()
    return event.SerializeToString()


def test_an_event_of_somebody_who_works_there_is_named() -> None:
    evidence = ledger(journal=rows_of([_by("ana")]))(true_evidence())
    assert "every_scan_says_who" not in broken(evidence)


def balances(changes: dict[Account, int], *, at_node: bool = True, at_centre: bool = True) -> Doctor:
    """Add units to accounts of one book or of both."""

    def doctor(evidence: Evidence) -> Evidence:
        book = dict(evidence.sites[0].ledger.balances)
        for account, units in changes.items():
            book[account] = book.get(account, 0) + units
        if at_node:
            evidence = ledger(balances=book)(evidence)
        return centre(stock={NODE: book})(evidence) if at_centre else evidence

    return doctor


def hub_journal(change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Doctor:
    """Change the node's journal as the hub has it."""
    return lambda e: centre(journals={NODE: change(e.centre.journals[NODE])})(e)


def both_journals(change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Doctor:
    """Change the journal on both sides, so that they still agree."""
    return lambda e: hub_journal(change)(ledger(journal=change(e.sites[0].ledger.journal), kept=())(e))


def _twice(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    return rows_of([*(row.body for row in rows), rows[-1].body], committed=True)


def _forged(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*rows[:3], replace(rows[3], hash=bytes(32)), *rows[4:])


def _unsent(evidence: Evidence) -> Evidence:
    short = evidence.sites[0].ledger.journal[:-1]
    return replace(evidence, wire=Wire({NODE: (envelope_of(short),)}, evidence.wire.down))


def _altered_on_the_way(evidence: Evidence) -> Evidence:
    whole = envelope_of(evidence.sites[0].ledger.journal)
    altered = replace(whole, events=(b"another event", *whole.events[1:]))
    return replace(evidence, wire=Wire({NODE: (altered,)}, evidence.wire.down))


def _race(winners: int) -> Doctor:
    def doctor(evidence: Evidence) -> Evidence:
        plan = evidence.plan
        return replace(evidence, plan=replace(plan, race=plan.orders[:1], race_units=winners))

    return doctor


DOCTORED: list[tuple[str, str, Doctor]] = [
    ("every_order_ends", "an order is still open", order(1, state="in_fulfillment")),
    (
        "every_order_ends",
        "a shipped order has a unit missing",
        order(1, lines=(Line(1, "A", 3, 0, shipped=2),)),
    ),
    (
        "every_order_ends",
        "a cancelled order was shipped",
        order(3, lines=(Line(1, "A", 2, 0, shipped=2),)),
    ),
    ("every_order_ends", "a promise is never settled", centre(open_reservations=1)),
    ("shorts_are_honest", "a unit is short that nobody took", floor(taken={})),
    (
        "each_wish_is_one_order",
        "one wish is two orders",
        receipt(1, answers=(Answer(201, "o1"), Answer(201, "o2"))),
    ),
    (
        "each_wish_is_one_order",
        "a repeated wish is taken for new",
        receipt(1, answers=(Answer(201, "o1"), Answer(201, "o1"))),
    ),
    ("each_wish_is_one_order", "a wish beyond the stock is taken", receipt(4, answers=(Answer(201, "o4"),))),
    ("each_wish_is_one_order", "a wish that can be served is refused", receipt(2, answers=(Answer(409),))),
    ("each_wish_is_one_order", "a cancel is answered with nonsense", receipt(3, cancel_status=500)),
    ("each_wish_is_one_order", "the last units go to nobody", _race(2)),
    (
        "the_api_tells_the_truth",
        "the API tells another state",
        lambda e: replace(e, till=replace(e.till, orders=(replace(e.till.orders[0], state="cancelled"),))),
    ),
    (
        "the_api_tells_the_truth",
        "node and centre differ on a fulfillment order",
        ledger(works=(Work("f1", "o1", "labelled", SSCC_1),)),
    ),
    (
        "nothing_is_oversold",
        "more is promised than came in",
        order(1, lines=(Line(1, "A", 11, 0, shipped=11),)),
    ),
    (
        "nothing_is_oversold",
        "a unit is short and no count wrote one off",
        order(1, lines=(Line(1, "A", 4, 1, shipped=3),)),
    ),
    ("each_parcel_has_one_label", "a label is printed twice", floor(labels=(SSCC_1, SSCC_1))),
    ("each_parcel_has_one_label", "a parcel leaves without a label", floor(labels=(SSCC_1,))),
    (
        "each_parcel_has_one_label",
        "a label belongs to no parcel",
        lambda e: floor(labels=(*e.sites[0].floor.labels, "0" * 18))(e),
    ),
    (
        "each_parcel_has_one_label",
        "one number is given to two parcels",
        ledger(works=(Work("f1", "o1", "shipped", SSCC_1), Work("f2", "o2", "shipped", SSCC_1))),
    ),
    (
        "each_parcel_holds_what_was_ordered",
        "two parcels are mixed up",
        floor(parcels={"f1": {"B": 1}, "f2": {"A": 3}}),
    ),
    (
        "each_parcel_holds_what_was_ordered",
        "a parcel leaves for a cancelled order",
        floor(parcels={"f1": {"A": 3}, "f2": {"B": 1}, "f3": {"A": 1}}),
    ),
    (
        "each_parcel_holds_what_was_ordered",
        "a parcel leaves for nobody",
        floor(parcels={"f1": {"A": 3}, "f2": {"B": 1}, "f9": {"A": 1}}),
    ),
    ("every_scan_says_who", "a scan was done by nobody", ledger(journal=rows_of([_by("associate")]))),
    ("units_balance", "a unit appears from nowhere", balances({SHELF_A: 1})),
    ("units_balance", "the centre's book is off", balances({SHELF_A: -1}, at_node=False)),
    ("hands_and_books_agree", "the lorry brought more", floor(unloaded={"A": 11, "B": 2})),
    ("hands_and_books_agree", "the carrier took less", floor(shipped={"A": 2, "B": 1})),
    ("shelves_and_books_agree", "a bin holds less than its book", floor(bins={(BIN_A, "A"): 6})),
    ("shelves_and_books_agree", "a unit lies in another bin", floor(bins={("A-03-01", "A"): 7})),
    ("node_and_centre_agree", "the centre has a unit in another bin", balances({SHELF_A: 1}, at_node=False)),
    ("books_are_the_sum_of_their_events", "both books have a unit too many", balances({SHELF_A: 1})),
    (
        "nothing_lies_about",
        "goods are left on the dock",
        balances({Account("A", bin="DOCK", disposition=Disposition.IN_PROGRESS): 1}),
    ),
    ("the_scanner_is_obeyed", "a wrong scan is taken", floor(wrong_scans_taken=("A at B-01-01",))),
    ("the_scanner_is_obeyed", "a right scan is refused", floor(right_scans_refused=("A at A-01-01",))),
    ("heads_agree", "the node waits for an acknowledgement", ledger(acked_seq=3)),
    ("heads_agree", "the node has not applied the hub's last event", ledger(down_seq=2)),
    ("heads_agree", "the centre believes in more than there is", centre(down_applied_seq={NODE: 4})),
    ("heads_agree", "the centre refused an envelope", centre(refused_envelopes=1)),
    ("no_event_is_lost", "the centre lacks the last event", hub_journal(lambda rows: rows[:-1])),
    (
        "no_event_is_lost",
        "an event from before the kill is gone on both sides",
        lambda e: (
            both_journals(lambda rows: rows[:4])(e)
            and ledger(journal=e.sites[0].ledger.journal[:4], kept=e.sites[0].ledger.journal[:5])(e)
        ),
    ),
    ("no_event_is_doubled", "the centre has an event twice", hub_journal(_twice)),
    ("chains_verify", "an event at the centre has another hash", hub_journal(_forged)),
    (
        "chains_verify",
        "a sequence is missing on both sides",
        both_journals(lambda rows: (*rows[:3], *rows[4:])),
    ),
    ("chains_verify", "the agent's own check fails", ledger(verified=False)),
    ("the_broker_carried_the_record", "an event was never sent", _unsent),
    ("the_broker_carried_the_record", "an event was altered on the way", _altered_on_the_way),
    ("the_audit_trail_verifies", "the audit chain is broken", centre(audit_first_bad_seq=4)),
    ("the_audit_trail_verifies", "the audit trail is empty", centre(audit_entries=0)),
    (
        "everybody_stopped_in_time",
        "a process had to be killed",
        lambda e: replace(e, unclean_stops=("hub did not stop within 5 s and was killed",)),
    ),
]


def test_every_rule_holds_on_true_evidence() -> None:
    assert broken(true_evidence()) == set()


@pytest.mark.parametrize(
    ("rule", "doctor"),
    [(rule, doctor) for rule, _, doctor in DOCTORED],
    ids=[f"{rule}: {what}" for rule, what, _ in DOCTORED],
)
def test_a_rule_breaks_on_doctored_evidence(rule: str, doctor: Doctor) -> None:
    assert rule in broken(doctor(true_evidence()))


def test_every_rule_is_proven_able_to_fail() -> None:
    assert {rule for rule, _, _ in DOCTORED} == {rule.__name__ for rule in INVARIANTS}


def test_a_breach_names_the_thing_that_is_wrong() -> None:
    findings = {finding.name: finding for finding in judge(order(1, state="in_fulfillment")(true_evidence()))}
    assert findings["every_order_ends"].breaches == ("order o1 is still in_fulfillment",)
    assert findings["every_order_ends"].says == "Every order is shipped, cancelled or honestly short"


def test_theft_that_nobody_has_met_yet_is_no_breach() -> None:
    evidence = floor(bins={(BIN_A, "A"): 5}, taken={(BIN_A, "A"): 2, ("A-02-01", "B"): 1})(true_evidence())
    assert broken(evidence) == set()


def test_an_order_shipped_before_its_cancel_arrived_stays_shipped() -> None:
    late = Order("o1", "web-1", "shipped", NODE, (Line(1, "A", 3, 0, shipped=3),))
    evidence = receipt(1, cancel_status=202)(true_evidence())
    assert late in evidence.centre.orders
    assert broken(evidence) == set()

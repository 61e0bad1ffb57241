"""People set rules aside: with a reason and an end that never comes early, and without editing what was found."""

from __future__ import annotations

import pytest

from bodega.codec import parse_hub_event
from bodega.core.deadline import BootTime
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.limits import OVERRIDE_LASTS_MS_MAX
from bodega.v1 import journal_pb2, stock_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.deciding import conflicts, overrides
from bodega_controlplane.app.deciding.conflict_views import HoldDraft, OverrideTerms, OverrideView
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.store import schema
from bodega_controlplane.store import stock as stock_rows
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, POLICY, SHOP, NodeByHand, deliver, order_draft, rows_of
from support.moved_order import LISBON, NOW, PORTO, SKU, later, look_after, news, place, two_nodes

TERMS = OverrideTerms("damp pallet", 60_000)
HOLD = HoldDraft(LISBON, SKU, "", 4)


def after(ms: int, boot_id: str = NOW.boot_id) -> BootTime:
    return BootTime(boot_id, NOW.ms + ms)


def hold(store: Store, draft: HoldDraft = HOLD, terms: OverrideTerms = TERMS) -> OverrideView:
    return store.write(lambda tx: overrides.hold_units(tx, OPERATOR, draft, terms, NOW))[0]


def listed(store: Store, *, only_open: bool = False) -> tuple[OverrideView, ...]:
    return store.read(lambda tx: overrides.list_overrides(tx, PageRequest(), only_open=only_open)).rows


def node_says(store: Store, node: NodeByHand, state: str, override_id: str = "V-1", **about: object) -> None:
    said = {"rule": "hold", "sku_id": SKU, "quantity": 4, **about}
    changed = stock_pb2.OverrideChanged(override_id=override_id, state=state, **said)  # type: ignore[arg-type]  # the test's choice
    node.record(override_changed=changed)
    deliver(store, *news(store, node))


def availability(store: Store) -> tuple[int, int, int]:
    row = store.read(lambda tx: stock.list_availability(tx, [SKU], POLICY))[0]
    return row.sellable, row.held_back, row.available


def test_what_a_person_at_a_node_holds_the_hub_does_not_promise(store: Store) -> None:
    lisbon, _ = two_nodes(store, porto=0)
    assert availability(store) == (10, 0, 8)
    node_says(store, lisbon, "open")
    assert availability(store) == (10, 4, 4)
    with pytest.raises(Refused) as caught:
        store.write(lambda tx: orders.place_order(tx, SHOP, order_draft((SKU, 5)), POLICY))
    assert "4 kept back" in str(caught.value.faults[0])
    place(store, 4)
    node_says(store, lisbon, "closed")
    assert availability(store) == (10, 0, 4)


def test_a_hold_keeps_no_more_than_there_is_and_of_its_lot_only(store: Store) -> None:
    lisbon, _ = two_nodes(store, porto=0)
    node_says(store, lisbon, "open", quantity=99)
    assert availability(store) == (10, 10, 0)
    node_says(store, lisbon, "closed", quantity=99)
    node_says(store, lisbon, "open", "V-2", lot="L-1", quantity=0)
    assert availability(store) == (10, 0, 8)
    node_says(store, lisbon, "open", "V-3", rule="fefo")
    assert availability(store) == (10, 0, 8)


def test_the_level_of_the_network_is_the_sum_of_what_each_node_may_promise(store: Store) -> None:
    """The database adds up by the same rule; a node below its safety stock takes nothing from another."""

    def level() -> tuple[int, ...]:
        rows = store.read(lambda tx: stock.list_availability(tx, [SKU], POLICY))
        sums = tuple(sum(getattr(row, name) for row in rows) for name in stock_rows.Level._fields)
        found = store.read(lambda tx: stock_rows.levels(tx, [SKU, "NONE"], POLICY.safety_stock))
        assert dict(found) == {SKU: sums}
        return sums

    lisbon, porto = two_nodes(store, lisbon=10, porto=1)
    assert level() == (11, 0, 8)
    place(store, 3)
    assert level() == (11, 3, 5)
    node_says(store, lisbon, "open", quantity=4)
    assert level() == (11, 3, 1)
    node_says(store, porto, "open", "V-2", quantity=1)
    assert level() == (11, 3, 1)
    node_says(store, lisbon, "open", "V-3", quantity=99)
    assert level() == (11, 3, 0)


def test_a_hold_from_the_centre_is_told_to_the_node_and_counts_once_the_node_has_said_so(
    store: Store,
) -> None:
    lisbon, _ = two_nodes(store, porto=0)
    opened = hold(store)
    assert opened.effect == f"{LISBON} promises 4 of {SKU} to nobody"
    (told,) = [
        event.override_set
        for row in rows_of(store, schema.down_log)
        if (event := parse_hub_event(row.body)).HasField("override_set")
    ]
    assert told == journal_pb2.OverrideSet(
        override_id=opened.override_id,
        rule="hold",
        sku_id=SKU,
        quantity=4,
        reason="damp pallet",
        actor="operator",
        state="open",
        expires_after_ms=60_000,
    )
    assert availability(store) == (10, 0, 8)
    node_says(store, lisbon, "open", opened.override_id)
    assert availability(store) == (10, 4, 4)
    node_says(store, lisbon, "expired", opened.override_id)
    assert [(row.state, row.ended_by) for row in listed(store)] == [("expired", f"node:{LISBON}")]
    with pytest.raises(Refused):
        store.write(lambda tx: overrides.close(tx, OPERATOR, opened.override_id))


def test_a_hold_is_closed_from_the_centre(store: Store) -> None:
    two_nodes(store)
    opened = hold(store)
    closed = store.write(lambda tx: overrides.close(tx, later(OPERATOR, 5), opened.override_id))[0]
    assert (closed.state, closed.ended_by, closed.ended_at_ms) == ("closed", "operator", OPERATOR.now_ms + 5)
    states = [
        event.override_set.state
        for row in rows_of(store, schema.down_log)
        if (event := parse_hub_event(row.body)).HasField("override_set")
    ]
    assert states == ["open", "closed"]
    assert listed(store, only_open=True) == ()


def test_an_override_ends_at_its_time_by_a_clock_that_nobody_can_set(store: Store) -> None:
    two_nodes(store)
    order = place(store)
    store.write(lambda tx: overrides.keep_at_node(tx, OPERATOR, order.order_id, TERMS, NOW))
    longer = OverrideTerms("damp pallet", TERMS.expires_after_ms + 1)
    held = hold(store, terms=longer)
    a_year = later(OPERATOR, 365 * 24 * 3600 * 1000)
    look_after(store, caller=a_year, now=after(59_999))
    assert len(listed(store, only_open=True)) == 2
    look_after(store, now=after(60_000))
    assert [row.override_id for row in listed(store, only_open=True)] == [held.override_id]
    look_after(store, now=after(60_001))
    assert {(row.state, row.ended_by) for row in listed(store)} == {("expired", "hub")}
    assert "override.expired" in {entry.action for entry in store.read(audit.list_audit)}


def test_after_a_reboot_an_override_has_its_whole_time_again_and_a_restart_takes_none(store: Store) -> None:
    two_nodes(store)
    order = place(store)
    store.write(lambda tx: overrides.keep_at_node(tx, OPERATOR, order.order_id, TERMS, NOW))
    reboot = BootTime("boot-2", 7)
    look_after(store, now=reboot)
    look_after(store, now=reboot._replace(ms=7 + 59_999))
    assert len(listed(store, only_open=True)) == 1
    look_after(store, now=reboot._replace(ms=7 + 60_000))
    assert listed(store, only_open=True) == ()


def test_an_override_has_a_reason_an_end_and_a_subject(store: Store) -> None:
    two_nodes(store)
    order = place(store)
    nothing = OverrideTerms(" ", 0)
    with pytest.raises(InvalidInput) as caught:
        store.write(lambda tx: overrides.keep_at_node(tx, OPERATOR, order.order_id, nothing, NOW))
    assert [fault.where for fault in caught.value.faults] == ["reason", "expires_after_ms"]
    too_long = OverrideTerms("x", OVERRIDE_LASTS_MS_MAX + 1)
    with pytest.raises(InvalidInput):
        hold(store, terms=too_long)
    hold(store, terms=OverrideTerms("x", OVERRIDE_LASTS_MS_MAX))
    for draft in (HoldDraft("nowhere", SKU, "", 1), HoldDraft(PORTO, "SALT", "", 1)):
        with pytest.raises(NotFound):
            hold(store, draft)
    with pytest.raises(NotFound):
        store.write(lambda tx: overrides.keep_at_node(tx, OPERATOR, "O-none", TERMS, NOW))
    with pytest.raises(NotFound):
        store.write(lambda tx: overrides.close(tx, OPERATOR, "V-none"))


def test_an_order_is_kept_once_at_a_time(store: Store) -> None:
    two_nodes(store)
    order = place(store)
    kept = store.write(lambda tx: overrides.keep_at_node(tx, OPERATOR, order.order_id, TERMS, NOW))[0]
    with pytest.raises(Refused) as caught:
        store.write(lambda tx: overrides.keep_at_node(tx, OPERATOR, order.order_id, TERMS, NOW))
    assert caught.value.code == "override-twice"
    store.write(lambda tx: overrides.close(tx, OPERATOR, kept.override_id))
    store.write(lambda tx: overrides.keep_at_node(tx, later(OPERATOR, 1), order.order_id, TERMS, NOW))
    assert [row.state for row in listed(store)] == ["open", "closed"]


def test_a_person_who_sets_a_rule_aside_leaves_a_row_among_the_conflicts_once(store: Store) -> None:
    lisbon, _ = two_nodes(store)
    order = place(store)
    kept = store.write(lambda tx: overrides.keep_at_node(tx, OPERATOR, order.order_id, TERMS, NOW))[0]
    for _ in range(2):
        node_says(store, lisbon, "open")
    rows = store.read(lambda tx: conflicts.list_conflicts(tx, PageRequest(), kind="human_override")).rows
    assert {(row.order_id, row.sku_id, row.rule, row.state) for row in rows} == {
        (order.order_id, "", "human_override@1", "settled"),
        ("", SKU, "human_override@1", "settled"),
    }
    (of_order,) = [row for row in rows if row.order_id]
    assert kept.override_id in of_order.undo
    story = store.read(lambda tx: conflicts.tell(tx, of_order.conflict_id))
    assert kept.override_id in story.inputs[0].sentence


def test_overrides_are_listed_page_by_page(store: Store) -> None:
    two_nodes(store)
    made = []
    for number in range(3):
        caller = later(OPERATOR, number)
        made.append(store.write(lambda tx, who=caller: overrides.hold_units(tx, who, HOLD, TERMS, NOW))[0])
    first = store.read(lambda tx: overrides.list_overrides(tx, PageRequest(2), only_open=True))
    rest = store.read(
        lambda tx: overrides.list_overrides(tx, PageRequest(2, first.next_page_token), only_open=True)
    )
    assert [row.override_id for row in (*first.rows, *rest.rows)] == [
        one.override_id for one in reversed(made)
    ]
    assert rest.next_page_token == ""


def test_a_decision_ends_the_override_of_its_conflict(store: Store) -> None:
    lisbon, _ = two_nodes(store, porto=0)
    place(store, 4)
    lisbon.move("count_down", SKU, 9, source="A-01-01")
    deliver(store, *news(store, lisbon))
    (row,) = store.read(lambda tx: conflicts.list_conflicts(tx, PageRequest())).rows
    store.write(lambda tx: overrides.hold_outcome(tx, OPERATOR, row.conflict_id, "wait", TERMS, NOW))
    decided = store.write(lambda tx: conflicts.resolve(tx, OPERATOR, row.conflict_id, "ship short"))[0]
    assert (decided.state, decided.decision, decided.override_ends_ms) == ("resolved", "ship short", 0)
    assert listed(store, only_open=True) == ()
    with pytest.raises(Refused):
        store.write(lambda tx: overrides.hold_outcome(tx, OPERATOR, row.conflict_id, "x", TERMS, NOW))

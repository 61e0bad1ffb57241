"""Lots past their day: the hub promises what the node would sell and nothing else, on both databases."""

from __future__ import annotations

import pytest

from bodega.codec import movement_to_wire
from bodega.core.ledger import Goods, LotSeen
from bodega.core.recipes import Book, Places, book
from bodega.errors import Refused
from bodega_controlplane.app.goods import lots, stock
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ordering import orders
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.services import rounds
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import POLICY, SHOP, NodeByHand, deliver, order_draft, rows_of, settle

# 2023-11-14 in UTC.
NOW_MS = 1_700_000_100_000
DAY_MS = 24 * 3600 * 1000


def shelve(node: NodeByHand, lot: str, units: int, expiry: str) -> None:
    """Receive and put away a lot with its day."""
    for command, places in (("receive", Places("", "DOCK")), ("put_away", Places("DOCK", "A-01-01"))):
        movement = book(command, [Goods("MILK", units, lot)], Book(node.balances), places).movement
        for account, change, _serials in movement.postings:
            node.balances[account] = node.balances.get(account, 0) + change
        if command == "receive":
            movement = movement._replace(lots=(LotSeen("MILK", lot, expiry),))
        node.record(movement=movement_to_wire(movement))


def stocked(store: Store) -> NodeByHand:
    """Three of yesterday's, four of today's, five of tomorrow's."""
    settle(store, "MILK")
    node = NodeByHand()
    shelve(node, "L1", 3, "2023-11-13")
    shelve(node, "L2", 4, "2023-11-14")
    shelve(node, "L3", 5, "2023-11-15")
    deliver(store, node.delivery(), now_ms=NOW_MS)
    return node


def sellable(store: Store) -> int:
    return store.read(lambda tx: stock.list_availability(tx, ["MILK"], POLICY))[0].sellable


def test_a_lot_is_promised_up_to_and_on_its_day(store: Store) -> None:
    stocked(store)
    assert sellable(store) == 9, "today's last day is today"
    with pytest.raises(Refused, match="enough"):
        store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("MILK", 8)), POLICY))
    store.write(lambda tx: orders.place_order(tx, SHOP, order_draft(("MILK", 7)), POLICY))


def test_the_day_after_it_is_not_and_a_clock_that_was_wrong_takes_nothing_for_good(store: Store) -> None:
    stocked(store)
    assert store.write(lambda tx: lots.judge_all(tx, now_ms=NOW_MS + DAY_MS))[0] == 1
    assert sellable(store) == 5
    store.write(lambda tx: lots.judge_all(tx, now_ms=NOW_MS + 365 * DAY_MS))
    assert sellable(store) == 0
    store.write(lambda tx: lots.judge_all(tx, now_ms=NOW_MS))
    assert sellable(store) == 9
    assert store.write(lambda tx: lots.judge_all(tx, now_ms=NOW_MS))[0] == 0


def test_a_lot_whose_day_was_read_wrong_is_promised_again_when_it_is_put_right(store: Store) -> None:
    node = stocked(store)
    before = len(node.journal)
    shelve(node, "L1", 1, "2024-01-31")
    deliver(store, node.delivery(before), now_ms=NOW_MS)
    assert sellable(store) == 13


async def test_the_hubs_round_judges_the_lots(
    sqlite_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stocked(sqlite_store)
    key = load_hub_key(tmp_path_factory.mktemp("key"))
    hub = Hub(sqlite_store, key, POLICY, clock=lambda: (NOW_MS + DAY_MS) / 1000)
    (lots_round,) = [one for one in rounds.ROUNDS if one.name.startswith("lots")]
    await rounds.do(hub, lots_round)
    assert sellable(sqlite_store) == 5
    assert {row.key for row in rows_of(sqlite_store, schema.meta)} == {"schema_version", lots_round.name}

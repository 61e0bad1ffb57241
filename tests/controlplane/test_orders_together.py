"""Orders that wait at the same time are placed in one transaction, and each as if it had been alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bodega.codec import parse_hub_event
from bodega.core.routing.bundle import parse
from bodega.errors import BodegaError, IdempotencyMismatch, InFlight, InvalidInput, Refused, Unavailable
from bodega_controlplane.app import audit
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.idempotency import Request, StoredResponse
from bodega_controlplane.app.ordering import desk, orders, together
from bodega_controlplane.app.ordering.desk import OrderDesk
from bodega_controlplane.app.ordering.together import Wish, place_together
from bodega_controlplane.app.views import OrderView
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction
from bodega_controlplane.vault import Vault
from support.controlplane import (
    POLICY,
    SHOP,
    NodeByHand,
    deliver,
    make_hub,
    order_draft,
    promises,
    rows_of,
    settle,
)
from support.meanwhile import meanwhile
from support.moved_order import LISBON, PORTO, later
from support.routing import document

NODES = (LISBON, PORTO, "braga-01")
# Who has least to do is chosen, so that each order depends on those before it.
BUSY = [{"name": "busy", "value": "double(node.open_orders)"}]
STAGES = [{"name": "whole"}, {"name": "split", "shares_max": 3, "when": "order.shares_max > 1"}]
LEAST_BUSY = replace(POLICY, bundle=parse(document("least-busy", 1, scores=BUSY, stages=STAGES)))
VAULT = Vault(b"k" * 32)


def stocked(store: Store, units: int = 30) -> None:
    """TEA and SALT at three nodes, of which one has no SALT."""
    settle(store, "TEA", "SALT", node_ids=NODES)
    for number, node_id in enumerate(NODES):
        node = NodeByHand(node_id)
        node.shelve("TEA", units)
        if number:
            node.shelve("SALT", units)
        deliver(store, node.delivery())


def wish(number: int, *lines: tuple[str, int], key: str = "", policy: Policy = POLICY, **about: Any) -> Wish:
    draft = replace(order_draft(*(lines or (("TEA", 1),)), reference=f"R-{number}"), **about)
    request = Request(later(SHOP, number), key or f"k-{number}", f"digest of {draft}".encode())
    return Wish(request, draft, policy, lambda order: StoredResponse(201, order.order_id.encode()))


def placed(store: Store, *wishes: Wish) -> list[StoredResponse | BodegaError]:
    return store.write(lambda tx: place_together(tx, wishes, VAULT))[0]


def outcomes(store: Store, answers: Sequence[StoredResponse | BodegaError]) -> list[Any]:
    """What became of each: its nodes and the units that each has to send, or why it was refused."""
    found: list[Any] = []
    for answer in answers:
        if isinstance(answer, BodegaError):
            found.append((answer.code, [str(fault) for fault in answer.faults]))
            continue
        order_id = answer.body.decode()
        view = store.read(lambda tx, name=order_id: orders.get_order(tx, name))
        found.append(
            [
                (part.state, part.node_id, [(one.sku_id, one.quantity) for one in part.lines])
                for part in view.parts
            ]
        )
    return found


def told(store: Store) -> list[tuple[str, int, str, list[tuple[str, int]]]]:
    """Each node's stream, as far as work goes: the number of an event, whose it is, and what it asks for.

    AssertionError where an assignment names another event than its own.
    """
    found = []
    event_of = {
        row.fulfillment_order_id: row.assigned_event for row in rows_of(store, schema.fulfillment_order)
    }
    references = {row.order_id: row.reference for row in rows_of(store, schema.orders)}
    for row in rows_of(store, schema.down_log):
        event = parse_hub_event(row.body)
        if event.HasField("fulfillment_order"):
            work = event.fulfillment_order
            lines = [(line.sku_id, line.quantity) for line in work.lines]
            assert event_of[work.fulfillment_order_id] == f"hub/{row.epoch}/{row.seq}"
            found.append((row.node_id, row.seq, references[work.order_id], lines))
    return sorted(found)


@pytest.mark.parametrize("seed", range(6))
def test_a_day_of_orders_ends_the_same_however_they_are_put_together(
    database: str, tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(seed)
    wishes = [
        wish(
            number,
            *(
                (sku_id, chance.randint(1, 6))
                for sku_id in chance.choice((["TEA"], ["SALT"], ["TEA", "SALT"]))
            ),
            parts_max=chance.choice((1, 3)),
            backorder=chance.random() < 0.2,
            policy=chance.choice((POLICY, LEAST_BUSY)),
        )
        for number in range(40)
    ]
    ends = []
    for size in (1, chance.randint(2, 9)):
        folder = tmp_path / f"by-{size}"
        folder.mkdir()
        url = database if database == "sqlite" else request.getfixturevalue("postgres_server").new_database()
        hub = make_hub(url, folder)
        store = hub._store
        stocked(store)
        answers = [
            answer for first in range(0, 40, size) for answer in placed(store, *wishes[first : first + size])
        ]
        ends.append((outcomes(store, answers), told(store)))
        assert store.read(audit.verify_audit).first_bad_seq == 0
        hub.close()
    assert ends[0] == ends[1]
    assert {type(one) for one in ends[0][0]} == {list, tuple}, "some are placed, and some refused"


def test_the_last_unit_goes_to_the_first_of_those_that_are_placed_together(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 1 + POLICY.safety_stock)
    deliver(store, node.delivery())
    first, second, third = placed(store, wish(1), wish(2), wish(3, backorder=True))
    assert isinstance(first, StoredResponse)
    assert isinstance(second, Refused)
    assert second.code == "insufficient-stock"
    assert isinstance(third, StoredResponse), "it may wait"
    assert [row.quantity for row in promises(store)] == [1]


def test_one_that_is_wrong_and_one_that_was_placed_before_do_not_keep_the_others(store: Store) -> None:
    stocked(store)
    (before,) = placed(store, wish(1))
    wrong, again, other, good = placed(store, wish(2, ("GHOST", 1)), wish(1), wish(3, key="k-1"), wish(4))
    assert isinstance(before, StoredResponse)
    assert isinstance(wrong, InvalidInput)
    assert again == replace(before, replayed=True)
    assert isinstance(other, IdempotencyMismatch)
    assert isinstance(good, StoredResponse)
    assert [row.reference for row in rows_of(store, schema.orders)] == ["R-1", "R-4"]
    assert len(rows_of(store, schema.idempotency)) == 2
    assert placed(store) == []


def test_what_it_costs_to_look_and_to_commit_is_shared(store: Store) -> None:
    stocked(store)

    def statements(*wishes: Wish) -> int:
        def count(tx: Transaction) -> int:
            with meanwhile(tx, -1, lambda: None) as queries:
                place_together(tx, wishes, VAULT)
            return len(queries)

        return store.write(count)[0]

    one, eight = statements(wish(1)), statements(*(wish(number) for number in range(2, 10)))
    assert eight <= one + 1


@pytest.mark.postgres
@pytest.mark.parametrize("units", [1, 2])
@pytest.mark.parametrize("number", range(9))
def test_what_another_instance_sells_meanwhile_is_not_sold_again(
    postgres_url: str, tmp_path: Path, number: int, units: int
) -> None:
    hub = make_hub(postgres_url, tmp_path)
    store = hub._store
    settle(store, "TEA", node_ids=(LISBON, PORTO))
    for node_id in (LISBON, PORTO):
        node = NodeByHand(node_id)
        node.shelve("TEA", 2 + POLICY.safety_stock)
        deliver(store, node.delivery())
    queries: list[list[str]] = []

    def they_sell() -> None:
        if len(queries) == 1 and not any("FOR UPDATE" in query for query in queries[0]):
            placed(store, wish(7, ("TEA", units)))

    def ours(tx: Transaction) -> list[StoredResponse | BodegaError]:
        with meanwhile(tx, number, they_sell) as before:
            queries.append(before)
            return place_together(tx, [wish(1), wish(2), wish(3), wish(4)], VAULT)

    answers, _ = store.write(ours)
    sold = sum(row.quantity for row in promises(store))
    refused = sum(isinstance(answer, Refused) for answer in answers)
    theirs = units * ("R-7" in {row.reference for row in rows_of(store, schema.orders)})
    assert (sold, refused) == (4, theirs), "all that there is, and nothing twice"
    hub.close()


@pytest.fixture
def hub(sqlite_store: Store, tmp_path: Path) -> Hub:
    stocked(sqlite_store)
    made = make_hub("sqlite", tmp_path)
    made._store.close()
    made._store = sqlite_store
    return made


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many orders each transaction has placed."""
    sizes: list[int] = []

    def place(tx: Transaction, wishes: Sequence[Wish], vault: Vault) -> list[StoredResponse | BodegaError]:
        sizes.append(len(wishes))
        return together.place_together(tx, wishes, vault)

    monkeypatch.setattr(desk, "place_together", place)
    return sizes


async def test_those_that_wait_share_a_commit_and_no_more_than_so_many(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = counted(monkeypatch)
    monkeypatch.setattr(desk, "ORDERS_PER_COMMIT_MAX", 4)
    office = OrderDesk(hub)
    answers = await asyncio.gather(*(office.place(wish(number)) for number in range(10)))
    assert sizes == [4, 4, 2]
    assert len({answer.body for answer in answers}) == 10
    first = await office.place(wish(3))
    assert (first.body, first.replayed) == (answers[3].body, True)


async def test_a_bug_in_one_order_is_its_own(hub: Hub) -> None:
    def broken(_order: OrderView) -> StoredResponse:
        raise ZeroDivisionError

    office = OrderDesk(hub)
    bad = wish(1)._replace(answer=broken)
    answers = await asyncio.gather(
        *(office.place(one) for one in (wish(0), bad, wish(2))), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [StoredResponse, ZeroDivisionError, StoredResponse]
    assert [row.reference for row in rows_of(hub._store, schema.orders)] == ["R-0", "R-2"]


async def test_a_database_that_is_away_is_told_to_all_that_wait(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def away(_tx: Transaction, wishes: Sequence[Wish], _vault: Vault) -> list[StoredResponse]:
        tries.append(len(wishes))
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(desk, "place_together", away)
    office = OrderDesk(hub)
    answers = await asyncio.gather(
        *(office.place(wish(number)) for number in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert tries == [3], "asked once and not for each"


async def test_a_key_that_is_being_worked_on_and_a_full_desk_are_said_at_once(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "ORDERS_WAITING_MAX", 2)
    office = OrderDesk(hub)
    asked = [wish(1), wish(1), wish(2), wish(3)]
    answers = await asyncio.gather(*(office.place(one) for one in asked), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoredResponse, InFlight, StoredResponse, Unavailable]
    assert isinstance(await office.place(wish(3)), StoredResponse), "there is room again, and its key is free"


async def test_who_has_given_up_before_his_turn_buys_nothing(hub: Hub) -> None:
    office = OrderDesk(hub)
    gone, stays = (asyncio.create_task(office.place(wish(number))) for number in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    assert isinstance(await stays, StoredResponse)
    assert [row.reference for row in rows_of(hub._store, schema.orders)] == ["R-2"]
    assert isinstance(await office.place(wish(1)), StoredResponse)

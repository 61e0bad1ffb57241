"""What a channel learns after it has sold: who works on it, which parcels left, what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bodega_controlplane.app.hub import Hub
from bodega_controlplane.store import schema
from support.controlplane import NodeByHand, deliver, rows_of
from support.faces import order_body, stocked_hub
from support.moved_order import Hand, news
from support.sold import TRACKING, record_parcel, sell, ship


@pytest.fixture
def hub(database: str, tmp_path: Path) -> Iterator[Hub]:
    with stocked_hub(tmp_path, database, TEA=12) as hub:
        yield hub


async def got(shop: httpx.AsyncClient, path: str) -> Any:
    answer = await shop.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_order_says_who_works_on_it(hub: Hub, shop: httpx.AsyncClient) -> None:
    sold = await sell(hub, shop)
    [work] = (await got(shop, f"/v1/orders/{sold.order_id}/fulfillment-orders"))["fulfillment_orders"]
    assert (work["fulfillment_order_id"], work["node_id"], work["part"]) == (sold.work_id, "lisbon-01", 1)
    assert (work["state"], work["in_force"]) == ("assigned", True)
    assert (await got(shop, f"/v1/orders/{sold.order_id}/shipments"))["shipments"] == []


async def test_a_parcel_has_its_carrier_and_tracking_number_and_says_when_it_has_left(
    hub: Hub, shop: httpx.AsyncClient
) -> None:
    sold = await sell(hub, shop)
    record_parcel(sold, "closed")
    sold.tell()
    [packed] = (await got(shop, f"/v1/orders/{sold.order_id}/shipments"))["shipments"]
    assert (packed["state"], packed["sscc"], packed["weight_g"]) == ("packed", sold.sscc, 420)
    assert (packed["carrier"], packed["service"], packed["tracking_number"]) == (
        "northpost",
        "STANDARD",
        TRACKING,
    )
    assert "price_minor" not in packed, "what the carrier takes is between it and us"
    assert await got(shop, f"/v1/shipments/{sold.sscc}") == packed
    record_parcel(sold, "voided")
    sold.tell()
    assert (await got(shop, f"/v1/shipments/{sold.sscc}"))["state"] == "voided"


async def test_a_parcel_that_was_handed_over_is_shipped_and_listed_since(
    hub: Hub, shop: httpx.AsyncClient
) -> None:
    sold = await ship(hub, shop)
    listed = await got(shop, "/v1/shipments")
    [parcel] = listed["shipments"]
    assert (parcel["state"], parcel["order_id"], listed["next_cursor"]) == ("shipped", sold.order_id, "")
    at = parcel["updated_at"]
    later = (datetime.fromisoformat(at) + timedelta(milliseconds=1)).isoformat().replace("+00:00", "Z")
    assert len((await got(shop, f"/v1/shipments?updated_since={at}"))["shipments"]) == 1
    assert (await got(shop, f"/v1/shipments?updated_since={later}"))["shipments"] == []
    for path in ("/v1/shipments/000000000000000000", "/v1/shipments?cursor=nonsense"):
        assert (await shop.get(path)).status_code in {404, 422}


async def test_a_return_is_agreed_to_once_and_never_for_more_than_was_sent(
    hub: Hub, shop: httpx.AsyncClient
) -> None:
    early = await sell(hub, shop, 1)
    path = f"/v1/orders/{early.order_id}/returns"
    refused = await shop.post(path, json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing-to-return")
    nowhere = await shop.post(path, json={"node_id": "moon"})
    assert (nowhere.status_code, [one["where"] for one in nowhere.json()["faults"]]) == (422, ["node_id"])
    body = order_body(("TEA", 1)) | {"not_before": "2027-11-23T18:00:00Z"}
    nobodys = (await shop.post("/v1/orders", json=body)).json()["order_id"]
    refused = await shop.post(f"/v1/orders/{nobodys}/returns", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing-to-return")

    sold = await ship_another(hub, shop)
    path = f"/v1/orders/{sold}/returns"
    too_many = await shop.post(path, json={"lines": [{"sku_id": "TEA", "quantity": 4}]})
    assert [fault["where"] for fault in too_many.json()["faults"]] == ["lines[0].quantity"]
    agreed = await shop.post(path, json={"lines": [{"sku_id": "TEA", "quantity": 2}]})
    assert agreed.status_code == 201
    view = agreed.json()
    assert (view["state"], view["node_ids"]) == ("expected", ["lisbon-01"])
    assert view["expected"] == [{"sku_id": "TEA", "quantity": 2}]
    assert view["received"] == view["refund_due"] == []
    read = await shop.get(agreed.headers["location"])
    assert (read.json(), read.headers["etag"]) == (view, agreed.headers["etag"])
    rest = (await shop.post(path, json={})).json()
    assert rest["expected"] == [{"sku_id": "TEA", "quantity": 1}]
    assert (await shop.post(path, json={})).json()["code"] == "nothing-to-return"
    both = [view, rest]
    assert (await got(shop, path))["returns"] == sorted(both, key=lambda one: one["return_id"])
    newest_first = sorted(both, key=lambda one: one["return_id"], reverse=True)
    first = await got(shop, "/v1/returns?limit=1")
    second = await got(shop, f"/v1/returns?limit=1&cursor={first['next_cursor']}")
    assert first["returns"] + second["returns"] == newest_first
    assert second["next_cursor"] == ""


async def ship_another(hub: Hub, shop: httpx.AsyncClient) -> str:
    """An order of 3 TEA that has left, beside the one of a unit that waits."""
    order_id: str = (await shop.post("/v1/orders", json=order_body(("TEA", 3)))).json()["order_id"]
    [work] = [row for row in rows_of(hub._store, schema.fulfillment_order) if row.order_id == order_id]
    node = NodeByHand()
    node.shelve("TEA", 12)
    Hand(node, work.fulfillment_order_id, order_id).ship()
    deliver(hub._store, *news(hub._store, node))
    return order_id


async def test_what_came_back_is_told_as_it_was_graded_with_what_money_is_due(
    hub: Hub, shop: httpx.AsyncClient
) -> None:
    sold = await ship(hub, shop)
    agreed = (await shop.post(f"/v1/orders/{sold.order_id}/returns", json={})).json()
    about = {"return_id": agreed["return_id"], "order_id": sold.order_id}
    graded = [
        {"sku_id": "TEA", "quantity": 2, "grade": "new", "disposition": "sellable"},
        {"sku_id": "TEA", "quantity": 1, "grade": "damaged", "disposition": "scrap"},
    ]
    sold.node.record(return_advanced={**about, "state": "open", "lines": graded[:1]})
    sold.tell()
    opened = await got(shop, f"/v1/returns/{agreed['return_id']}")
    assert (opened["state"], opened["received"]) == ("open", graded[:1])
    sold.node.record(return_advanced={**about, "state": "closed", "lines": graded})
    sold.node.record(refund_due={**about, "lines": [{"sku_id": "TEA", "quantity": 2}]})
    sold.tell()
    closed = await got(shop, f"/v1/returns/{agreed['return_id']}")
    assert (closed["state"], closed["received"]) == ("closed", graded)
    assert closed["refund_due"] == [{"sku_id": "TEA", "quantity": 2}]
    assert closed["expected"] == [{"sku_id": "TEA", "quantity": 3}], "what was agreed to stays to be seen"


async def test_orders_that_have_changed_are_listed_by_their_change(hub: Hub, shop: httpx.AsyncClient) -> None:
    ids = [(await shop.post("/v1/orders", json=order_body(("TEA", 1)))).json()["order_id"] for _ in range(3)]
    since = (await got(shop, f"/v1/orders/{ids[0]}"))["updated_at"]
    await shop.post(f"/v1/orders/{ids[0]}/cancel")
    found, cursor = [], ""
    while True:
        page = await got(shop, f"/v1/orders?limit=2&updated_since={since}&cursor={cursor}")
        found += [one["order_id"] for one in page["orders"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert found == [*ids[1:], ids[0]]
    waiting = await got(shop, f"/v1/orders?state=confirmed&updated_since={since}")
    assert [one["order_id"] for one in waiting["orders"]] == ids[1:]
    wrong = await shop.get("/v1/orders?updated_since=2026-11-22T10:00:00")
    assert [fault["where"] for fault in wrong.json()["faults"]] == ["query.updated_since"]


async def test_a_cancel_that_was_decided_on_another_state_is_not_done(
    hub: Hub, shop: httpx.AsyncClient
) -> None:
    sold = await sell(hub, shop)
    seen = (await shop.get(f"/v1/orders/{sold.order_id}")).headers["etag"]
    Hand(sold.node, sold.work_id, sold.order_id).pick()
    sold.tell()
    late = await shop.post(f"/v1/orders/{sold.order_id}/cancel", headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
    fresh = (await shop.get(f"/v1/orders/{sold.order_id}")).headers["etag"]
    asked = await shop.post(f"/v1/orders/{sold.order_id}/cancel", headers={"If-Match": fresh})
    assert (asked.status_code, asked.json()["state"]) == (202, "cancel_requested")

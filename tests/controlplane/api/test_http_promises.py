"""What a customer may be told before ordering: what is there, and by when it would come, in each class of service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bodega.limits_hub import PROMISED_SKUS_MAX
from bodega_controlplane.api.http.app import build_app
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.selling import channels
from bodega_controlplane.app.shipping import cards, telling
from bodega_controlplane.app.views import Caller
from bodega_controlplane.keys import load_hub_key
from support.controlplane import POLICY, NodeByHand, deliver, open_test_store, settle
from support.faces import TOKENS, client_of
from support.rate_cards import MONDAY_MORNING_MS, card

NOW = Caller("operator", "operator", MONDAY_MORNING_MS)
LISBON = {"country": "PT", "postal_code": "1100-060", "latitude": 38.72, "longitude": -9.14}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """On a Monday morning: 12 TEA in Lisbon and 30 in Porto, and the rate card of two carriers."""
    store = open_test_store("sqlite", tmp_path)
    settle(store, "TEA", "MUG", node_ids=("lisbon-01", "porto-01"))
    for node_id, units in (("lisbon-01", 12), ("porto-01", 30)):
        node = NodeByHand(node_id)
        node.shelve("TEA", units)
        deliver(store, node.delivery())
    store.write(lambda tx: cards.import_card(tx, NOW, card()))
    for node_id in store.read(lambda tx: telling.behind(tx, NOW.now_ms)):
        store.write(lambda tx, node_id=node_id: telling.tell(tx, NOW, node_id))
    hub = Hub(store, load_hub_key(tmp_path), POLICY, clock=lambda: MONDAY_MORNING_MS / 1000)
    yield hub
    hub.close()


@pytest.fixture
async def shop(hub: Hub) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(build_app(hub, TOKENS)) as client:
        yield client


async def asked(shop: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await shop.get("/v1/availability", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_each_class_of_service_has_its_day_its_carrier_and_its_price(shop: httpx.AsyncClient) -> None:
    found = await asked(shop, sku_id="TEA", quantity=2, **LISBON)
    [next_day, standard] = found["promises"]
    assert next_day == {
        "sku_id": "TEA",
        "service_class": "next_day",
        "on_time": True,
        "order_by": "2026-11-23T17:00:00Z",
        "ship_date": "2026-11-23",
        "due_date": "2026-11-24",
        "node_id": "lisbon-01",
        "carrier": "northpost",
        "service": "EXPRESS",
        "price_minor": 900,
        "currency": "EUR",
    }
    assert (standard["service"], standard["price_minor"], standard["due_date"]) == ("ECO", 440, "2026-11-26")
    [total] = found["skus"]
    assert (total["sellable"], total["safety_stock"], total["available"]) == (42, 4, 38)


async def test_only_a_node_that_may_be_given_all_of_it_is_promised_from(shop: httpx.AsyncClient) -> None:
    """Lisbon holds 12, keeps 2: an eleventh unit comes from Porto, where only northpost collects."""
    at_bound = (await asked(shop, sku_id="TEA", quantity=10, **LISBON))["promises"]
    assert {one["service"] for one in at_bound if one["service_class"] == "standard"} == {"ECO"}
    beyond = (await asked(shop, sku_id="TEA", quantity=11, **LISBON))["promises"]
    assert {(one["node_id"], one["carrier"]) for one in beyond} == {("porto-01", "northpost")}
    assert (await asked(shop, sku_id="TEA", quantity=29, **LISBON))["promises"] == []
    assert (await asked(shop, sku_id=["MUG", "GHOST"], **LISBON))["promises"] == []
    assert (await asked(shop, sku_id="TEA", **(LISBON | {"country": "DE"})))["promises"] == []


async def test_a_channels_buffer_counts_in_what_it_may_promise(hub: Hub, shop: httpx.AsyncClient) -> None:
    _, token = await hub.run(
        lambda tx: channels.create_channel(tx, NOW, "bazaar", "marketplace", buffer_units=6)
    )
    bazaar = client_of(build_app(hub, TOKENS), token)
    for units, node_id in ((4, "lisbon-01"), (5, "porto-01")):
        found = await asked(bazaar, sku_id="TEA", quantity=units, **LISBON)
        assert {one["node_id"] for one in found["promises"]} == {node_id}
    [total] = (await asked(bazaar, sku_id="TEA"))["skus"]
    assert (total["channel_buffer"], total["available"]) == (12, 26)


async def test_without_a_destination_nothing_is_said_of_when(shop: httpx.AsyncClient) -> None:
    assert (await asked(shop, sku_id="TEA"))["promises"] == []


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"sku_id": "TEA", "country": "PT"}, "query"),
        ({"sku_id": "TEA", **LISBON, "country": "Portugal"}, "query.country"),
        ({"sku_id": "TEA", **LISBON, "latitude": 91}, "query.latitude"),
        ({"sku_id": "TEA", **LISBON, "longitude": "nan"}, "query.longitude"),
        ({"sku_id": "TEA", **LISBON, "quantity": 0}, "query.quantity"),
        ({"sku_id": [f"S{number}" for number in range(PROMISED_SKUS_MAX + 1)], **LISBON}, "query"),
        (LISBON, "query.sku_id"),
    ],
)
async def test_what_is_no_question_is_named(
    shop: httpx.AsyncClient, params: dict[str, Any], where: str
) -> None:
    answer = await shop.get("/v1/availability", params=params)
    assert answer.status_code == 422
    assert [fault["where"] for fault in answer.json()["faults"]] == [where]


async def test_what_was_promised_is_what_an_order_gets(shop: httpx.AsyncClient) -> None:
    """The promise and the order ask the same rules of the same stock."""
    promised = (await asked(shop, sku_id="TEA", quantity=11, **LISBON))["promises"]
    body = {
        "reference": "R-1",
        "lines": [{"sku_id": "TEA", "quantity": 11}],
        "recipient": {
            "name": "Maria Secreta",
            "address": ["Rua do Segredo 7"],
            "postal_code": LISBON["postal_code"],
            "country": LISBON["country"],
            "location": {"latitude": LISBON["latitude"], "longitude": LISBON["longitude"]},
        },
    }
    placed = await shop.post("/v1/orders", json=body)
    assert placed.json()["node_id"] in {one["node_id"] for one in promised}

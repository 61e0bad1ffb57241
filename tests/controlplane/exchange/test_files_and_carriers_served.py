"""`bodegactl serve` with a shared folder and a carrier of its own, as a shop and an operator see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega_controlplane.carriers.card_document import card_values
from support.bodegactl import (
    ControlPlane,
    address_of_nobody,
    bodegactl,
    new_database,
    serving_from,
    write_config,
)
from support.controlplane import NodeByHand, deliver, settle
from support.rate_cards import card, service, zone
from support.waiting import until

MORE = """
[[carriers]]
name = "eastpost"
driver = "rate-card"
options = {{ file = "{folder}/eastpost.json" }}
[exchange]
folder = "{folder}/shop"
places = "{folder}/places.csv"
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        settle(store, "TEA")
        node = NodeByHand()
        node.shelve("TEA", 40)
        deliver(store, node.delivery())
    east = card(services=[service("eastpost", "LATE", "standard", zone("PT", 100, countries=["PT"]))])
    (folder / "eastpost.json").write_text(json.dumps(card_values(east)), encoding="utf-8")
    (folder / "places.csv").write_text("country,postal_prefix,latitude,longitude\nPT,,38.7,-9.1\n")
    (folder / "shop" / "inbox").mkdir(parents=True)
    with serving_from(folder, more=MORE.format(folder=folder)) as control_plane:
        yield control_plane


async def test_a_file_in_the_inbox_becomes_an_order_and_an_answer(hub: ControlPlane) -> None:
    shop = hub.data_dir.parent / "shop"
    (shop / "inbox" / "orders-1.csv").write_text(
        "reference,sku_id,quantity,name,address,postal_code,country\nW-1,TEA,2,Ana,Rua 1,1100-060,PT\n"
    )
    await until(lambda: any((shop / "outbox").glob("*.ack.csv")), what="the answer")
    (ack,) = (shop / "outbox").glob("*.ack.csv")
    (row,) = ack.read_text().splitlines()[1:]
    assert row.startswith("W-1,accepted,O-")
    (order,) = hub.ask("orders", "ls", "--json").json()["orders"]
    assert (order["reference"], order["channel"]) == ("W-1", "storefront")
    assert "Ana" not in hub.log.read_text(), "nothing personal is logged"


async def test_a_carrier_that_is_configured_is_offered(hub: ControlPlane) -> None:
    def quoted() -> list[tuple[str, int]]:
        found = hub.ask("rates", "quote", "--to", "PT/1100-060", "--weight-g", "900", "--json").json()
        return [(one["carrier"], one["price_minor"]) for one in found["quotes"]]

    await until(lambda: bool(quoted()), what="what the carrier offers")
    assert quoted() == [("eastpost", 100)]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('[[carriers]]\nname = "x"\ndriver = "post-horse"\n', "there is no carrier driver 'post-horse'"),
        ('[exchange]\nfolder = "/x"\nkept_days = -1\n', "exchange.kept_days"),
        ('[exchange]\nfolder = "shop"\nplaces = "/nowhere/places.csv"\n', "can not be read"),
    ],
)
def test_what_is_wrong_with_a_carrier_or_the_exchange_is_told_before_anything_begins(
    tmp_path: Path, more: str, problem: str
) -> None:
    config = write_config(tmp_path, tmp_path / "data", nats_url=f"nats://{address_of_nobody()}")
    config.write_text(config.read_text() + more.replace('"/x"', f'"{tmp_path}"'))
    said = bodegactl("serve", "--config", config)
    assert said.code in {65, 78}
    assert problem in said.err

"""A node that has worked for years, made fast: events, what ended orders leave in the tables, and a day's orders to do.

The journal is that of the ledger's benchmark (`ledger_rows`): five lives of some units make an order. Each of those
orders is in the tables as shipped, with its lines, its parcel and its printed label, because what grows with them may
slow a scan as much as what grows with the journal. The catalogue, the bins and the orders to do come as hub events.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

from benchmarks import ledger_rows as rows
from bodega.host.log import configure
from bodega.v1 import catalogue_pb2
from bodega_adapters.labels import document
from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.plan import Intake
from bodega_agent.store.schema import open_for_reading, open_for_writing
from support.node_under_test import HubPen, gtin, opened_store

SKUS_IN_DEMAND = 40
CASES_TAKEN_IN = 2
UNITS_OF_A_CASE = 12
WEIGHT_G = 500
LABEL = document.parcel(
    sscc="0" * 18,
    order_id="O-0000000",
    ship_to=("Ana Ribeiro", "Rua do Ouro 2"),
    ship_from=("Lisbon",),
    service="",
).to_bytes()


def products() -> dict[str, Product]:
    """The catalogue by SKU."""
    found = [Product(sku(number), f"Product {number}", gtin(number), WEIGHT_G) for number in range(rows.SKUS)]
    return {product.sku_id: product for product in found}


def sku(number: int) -> str:
    """The SKU of this number, as the ledger's benchmark names it."""
    return rows.Life.at(number).sku_id


def shelf(number: int) -> str:
    """The bin in which it lies."""
    return rows.Life.at(number).shelf


def build(folder: Path, blocks: int, orders: int) -> None:
    """A ledger of so many blocks of the day, all of its orders done, and so many to do."""
    rows.build(folder, blocks)
    _end_orders(folder, blocks * rows.LIVES_SIDE_BY_SIDE // rows.LINES_AN_ORDER)
    asyncio.run(_hear_from_hub(folder, orders))


def stock(folder: Path) -> Counter[tuple[str, str]]:
    """What the book has on shelves, by (bin, SKU)."""
    connection = open_for_reading(rows.path_in(folder))
    on_shelf = connection.execute("SELECT bin, sku_id, quantity FROM balance WHERE bin <> ''")
    found = Counter({(bin_id, sku_id): quantity for bin_id, sku_id, quantity in on_shelf})
    connection.close()
    return found


def intakes() -> list[Intake]:
    """A lorry of all that the orders to do ask for."""
    cases = (UNITS_OF_A_CASE,) * CASES_TAKEN_IN
    catalogue = products()
    return [Intake(catalogue[sku(number)], shelf(number), cases, 1) for number in range(SKUS_IN_DEMAND)]


async def _hear_from_hub(folder: Path, orders: int) -> None:
    configure(level="warning")
    with opened_store(folder, now_ms=lambda: rows.AT_MS) as store:
        pen = HubPen(store)
        await pen.write(node_profile=_profile())
        for number in range(rows.SKUS):
            await pen.sku_of(sku(number), number, weight_g=WEIGHT_G)
        dice = Random(7)  # a day, not a secret
        for number in range(orders):
            wanted = dice.sample(range(SKUS_IN_DEMAND), dice.choice((1, 2, 2, 3)))
            await pen.fulfillment_order(number, *((sku(each), dice.choice((1, 1, 2))) for each in wanted))


def _profile() -> catalogue_pb2.NodeProfile:
    bins = [catalogue_pb2.Bin(bin_id=shelf(number), walk_order=number + 1) for number in range(rows.SKUS)]
    numbers = catalogue_pb2.SsccRange(
        extension=3, company_prefix="9521234", first_serial=1, last_serial=99_999
    )
    return catalogue_pb2.NodeProfile(
        node_id="lisbon-01",
        name="Lisbon",
        ship_from=["Bodega Lisbon"],
        sscc_range=numbers,
        bins=bins,
        version=1,
    )


def _end_orders(folder: Path, orders: int) -> None:
    """Shipped orders, their lines and their labels."""
    connection = open_for_writing(rows.path_in(folder))
    lives = [rows.Life.at(number * rows.LINES_AN_ORDER) for number in range(orders)]
    with connection:
        connection.executemany(
            "INSERT INTO fulfillment_order(fulfillment_order_id, order_id, state, device, fencing_token, sscc,"
            " carrier_service, recipient, arrived_seq) VALUES (?, ?, 'shipped', 'scanner-1', 1, ?, 'parcel', ?, 0)",
            ((life.order, f"O-{life.order}", life.sscc, b"r" * 60) for life in lives),
        )
        connection.executemany(
            "INSERT INTO fulfillment_line(fulfillment_order_id, line, sku_id, quantity, picked) VALUES (?, ?, ?, ?, ?)",
            (
                (life.order, line, each.sku_id, each.units - 1, each.units - 1)
                for number, life in enumerate(lives)
                for line in range(rows.LINES_AN_ORDER)
                for each in [rows.Life.at(number * rows.LINES_AN_ORDER + line)]
            ),
        )
        connection.executemany(
            "INSERT INTO print_job(print_job_id, sscc, fulfillment_order_id, state, copy, detail, document,"
            " queued_seq, updated_at_ms) VALUES (?, ?, ?, 'confirmed', 1, '', ?, ?, ?)",
            (
                (f"{life.sscc}-1", life.sscc, life.order, LABEL, number + 1, rows.AT_MS)
                for number, life in enumerate(lives)
            ),
        )
    connection.close()

"""A node without any hub does the whole job: goods in, an order picked, packed, labelled and handed over."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from bodega_agent.demo.associate import Associate
from bodega_agent.demo.bench import PRINTER, SCANNER, Bench, set_up
from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.handheld import Handheld, ask
from bodega_agent.demo.patience import until
from bodega_agent.demo.plan import Intake
from bodega_agent.demo.processes import Child, Recipe
from bodega_agent.demo.world import python_module
from support.bodega_command import fill_ledger, write_config
from support.node_under_test import gtin

pytestmark = [pytest.mark.system]

MILK = Product("SKU-1", "Product 1", gtin(1), 1000)
BREAD = Product("SKU-2", "Product 2", gtin(2), 500)


class NoRegrets:
    """Customers who never cancel."""

    def unit_in_hand(self, order_id: str) -> None:
        """Nothing to do."""

    def parcel_gone(self, order_id: str) -> None:
        """Nothing to do."""


def config_for(folder: Path, bench: Bench) -> Path:
    """A scanner, a printer, and no [hub]."""
    return write_config(
        folder,
        extra=f'[[scanners]]\nname = "{SCANNER}"\ndriver = "serial"\noptions = {{ port = "{bench.scanner.path}" }}\n'
        f'[printer]\nname = "{PRINTER}"\ndriver = "zpl-tcp"\n'
        f'options = {{ host = "{bench.printer.host}", port = {bench.printer.port} }}\n',
    )


async def test_a_node_without_a_hub_does_the_whole_job(tmp_path: Path) -> None:
    await asyncio.to_thread(fill_ledger, tmp_path)
    bench = await set_up(tmp_path, watched=False)
    argv = python_module("bodega_agent.cli", "run", "--config", str(config_for(tmp_path, bench)))
    agent = Child(Recipe("agent", argv, tmp_path / "agent.log"), tmp_path)
    control = tmp_path / "control.sock"
    products = {MILK.sku_id: MILK, BREAD.sku_id: BREAD}
    associate = Associate(
        bench, Handheld(SCANNER, bench.scanner, control), products, random.Random(1), NoRegrets()
    )
    associate.deliver([Intake(MILK, "A-01-01", (6,), 1), Intake(BREAD, "A-01-02", (), 2)])
    await agent.start()
    work = asyncio.create_task(associate.work())
    try:
        await until("both orders to leave", lambda: _all_shipped(control), seconds=30)
        associate.go_home()
        await work
        verified = await ask(control, "ledger.verify")
        sync = await ask(control, "sync")
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        stopped = await agent.stop()
        await bench.close()
    assert stopped == ""
    assert verified["ok"]
    assert not sync["connected"]
    assert len(bench.printer.labels) == len({label.sscc for label in bench.printer.labels}) == 2
    assert dict(bench.shelves.shipped) == {"SKU-1": 2, "SKU-2": 1}
    assert associate.notes.wrong_scans_taken == associate.notes.right_scans_refused == []


async def _all_shipped(control: Path) -> bool:
    orders = await ask(control, "orders")
    return {order["state"] for order in orders} == {"shipped"}

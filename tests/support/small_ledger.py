"""A real ledger file with the small catalogue of `ledger_model`, written to by its own transaction, no thread."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from bodega.core.commands import decode
from bodega.core.deadline import BootTime
from bodega.v1 import catalogue_pb2
from bodega_agent.store import catalogue
from bodega_agent.store.commands import run
from bodega_agent.store.schema import open_for_writing
from bodega_agent.store.transaction import Context, Transaction
from support.command_bodies import BINS
from support.ledger_model import KITS, LOT_TRACKED, OWNERS, SERIAL_TRACKED, UNITS

T = TypeVar("T")
SKU_IDS = ("PLAIN", "OWNED", "LOTTED", "SERIAL", "BOTH", "KIT")


class SmallLedger:
    """`do` is one command in one transaction, undone if it fails. `clock_ms` is the boot's clock."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        self.clock_ms = 0
        self._ticks = itertools.count(1)
        self._connection = open_for_writing(self.path)
        self.tx = Transaction(
            self._connection,
            node_id="lisbon-01",
            now_ms=lambda: next(self._ticks),
            clock=lambda: BootTime("boot", self.clock_ms),
        )

    def write(self, work: Callable[[Transaction], T]) -> T:
        """One transaction; as the writer does, again without hope if it fails after a guess."""
        try:
            return self._try(work, hope=True)
        except Exception:
            if not self.tx.has_guessed:
                raise
        return self._try(work, hope=False)

    def _try(self, work: Callable[[Transaction], T], *, hope: bool) -> T:
        self.tx.hope(for_new_ids=hope)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(self.tx)
            self.tx.flush()
        except BaseException:
            self._connection.execute("ROLLBACK")
            self.tx.reload_head()
            raise
        self._connection.execute("COMMIT")
        return result

    def do(self, body: object) -> dict[str, Any]:
        """Decode and run one command."""
        return self.write(lambda tx: run(tx, Context("unused", actor="ana"), decode(body)))

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the tables say."""
        return list(self._connection.execute(sql, values))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def stock_catalogue(tx: Transaction) -> None:
    """Bins and SKUs as the hub would have sent them."""
    bins = [catalogue_pb2.Bin(bin_id=bin_id, walk_order=place) for place, bin_id in enumerate(BINS)]
    catalogue.put_profile(tx, catalogue_pb2.NodeProfile(node_id="lisbon-01", bins=bins, version=1))
    for sku_id in SKU_IDS:
        catalogue.put_sku(
            tx,
            catalogue_pb2.Sku(
                sku_id=sku_id,
                name=sku_id.title(),
                owner=OWNERS.get(sku_id, ""),
                lot_tracked=sku_id in LOT_TRACKED,
                expiry_tracked=sku_id in LOT_TRACKED,
                serial_tracked=sku_id in SERIAL_TRACKED,
                units=[catalogue_pb2.Unit(unit="case", base_units=UNITS["case"])],
                units_version=1,
                components=[
                    catalogue_pb2.KitComponent(sku_id=part, quantity=units)
                    for part, units in KITS.get(sku_id, {}).items()
                ],
                version=1,
            ),
        )


def stocked(folder: Path, template: Path) -> SmallLedger:
    """A ledger with the catalogue in it; the file is made once, in `template`, and copied."""
    if not (template / "ledger.db").exists():
        first = SmallLedger(template)
        first.write(stock_catalogue)
        first.close()
    shutil.copy(template / "ledger.db", folder / "ledger.db")
    return SmallLedger(folder)

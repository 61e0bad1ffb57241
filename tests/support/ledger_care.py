"""A ledger with a small past, and the ways in which a file can go wrong behind the agent's back."""

from __future__ import annotations

from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import apsw

from bodega.core.ledger import DOCK, Goods
from bodega_agent.services.archiving import ArchiveService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.store import ledger
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction

BIN = "A-01-01"
STAGE = "STAGE-FO-1"
_numbers = count(1)


def context() -> Context:
    """A new command of a person."""
    return Context(f"cmd-{next(_numbers)}", actor="ana", device="scanner-1")


def receive(tx: Transaction, quantity: int = 5, sku_id: str = "SKU-1", serials: tuple[str, ...] = ()) -> None:
    """Two events: goods come in, and are put away into BIN. Remembered under their command's id."""
    goods = [Goods(sku_id, quantity, serials=serials)]
    for command, source_bin, target_bin in (("receive", "", DOCK), ("put_away", DOCK, BIN)):
        _once(tx, command, goods, source_bin, target_bin)


def _once(tx: Transaction, command: str, goods: list[Goods], source_bin: str, target_bin: str) -> None:
    who = context()

    def work() -> dict[str, Any]:
        return {"seq": ledger.move(tx, who, command, goods, source_bin=source_bin, target_bin=target_bin)}

    tx.once(who.cmd_id, {"command": command}, work)


def relocate(
    tx: Transaction, quantity: int = 1, sku_id: str = "SKU-1", serials: tuple[str, ...] = ()
) -> None:
    """One event: picked from BIN, to STAGE."""
    goods = [Goods(sku_id, quantity, serials=serials)]
    ledger.move(tx, context(), "pick", goods, source_bin=BIN, target_bin=STAGE)


def tamper(folder: Path, *statements: str) -> None:
    """Change the file as nobody should: the agent is down, and the triggers are gone for the time being."""
    with closing(apsw.Connection(str(folder / "ledger.db"))) as raw:
        triggers = list(raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
        for name, _sql in triggers:
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
            assert raw.changes() == 1, f"{statement}: changed {raw.changes()} rows"
        for _name, sql in triggers:
            raw.execute(sql)


def verified(folder: Path, **how: bool) -> dict[str, Any]:
    """What `bodega ledger verify` finds."""
    with closing(Reader(folder / "ledger.db")) as reader:
        return reader.verify(**how)


async def archive_all(store: Store) -> str:
    """Give every event that there is to one archive; the name of its file."""
    service = ArchiveService(
        store, IntegrityService(store), node_id="lisbon-01", needs_ack=False, now_ms=lambda: 10**15
    )
    (file,) = [step["file"] async for step in service.run(0) if step["step"] == "archived"]
    return str(file)

"""Putting away: facts and effects."""

from __future__ import annotations

from bodega.core.ledger import DOCK, Account
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.putaway.effects import PutAway
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts, Waiting
from bodega_agent.rules.floor.scans import ItemScan
from bodega_agent.store import catalogue, ledger
from bodega_agent.store.floor.common import Doers, owned
from bodega_agent.store.floor.look import Look
from bodega_agent.store.reads.stage import LEFT_ON_STAGE
from bodega_agent.store.transaction import Context, Transaction


def facts(look: Look) -> PutAwayFacts:
    """What waits of the SKU that was scanned or is in hand, and where to put it."""
    tx, scan, held = look.tx, look.scan, look.session.doing
    sku_id = held.sku_id if isinstance(held, InHand) else ""
    sku_id = scan.sku_id if isinstance(scan, ItemScan) else sku_id
    return PutAwayFacts(waiting=_waiting(tx, sku_id), suggested_bin=catalogue.suggested_bin(tx, sku_id))


def _waiting(tx: Transaction, sku_id: str) -> tuple[Waiting, ...]:
    rows = tx.execute(
        "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"  # noqa: S608  # a constant
        f" WHERE sku_id = ?1 AND disposition = 'in_progress' AND (bin = ?2 OR {LEFT_ON_STAGE})"
        " ORDER BY bin = ?2, bin, lot",
        (sku_id, DOCK),
    )
    return tuple(
        Waiting(account.bin, sku_id, account.lot, quantity, ledger.serials_at(tx, account))
        for *named, quantity in list(rows)
        for account in [Account(*named)]
    )


def _put_away(tx: Transaction, context: Context, effect: PutAway) -> None:
    ledger.move(
        tx,
        context,
        "put_away",
        [owned(tx, effect.goods)],
        source_bin=effect.source_place,
        target_bin=effect.bin_id,
    )


DOES: Doers = {PutAway: _put_away}

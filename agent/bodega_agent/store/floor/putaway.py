"""Putting away: facts and effects."""

from __future__ import annotations

from bodega.core.ledger import DOCK, Account, Disposition, unit_place
from bodega.core.recipes import Places
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.putaway.effects import PutAway
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts, Waiting
from bodega_agent.rules.floor.scans import BinScan, ItemScan, SsccScan
from bodega_agent.store import bins_for, catalogue, ledger
from bodega_agent.store.floor.common import Doers, owned
from bodega_agent.store.floor.look import Look
from bodega_agent.store.floor.moving import move_as
from bodega_agent.store.reads.stage import LEFT_ON_STAGE
from bodega_agent.store.transaction import Context, Transaction

_PALLETS = "(bin >= 'LPN-' AND bin < 'LPN.')"
_RELEASED = "bin IN (SELECT bin_id FROM bin WHERE kind IN ('quality', 'returns'))"
# In progress on the dock, on pallets, on stages of work that is over, or released from quality; set apart where it
# came in.
_WAITS = (
    f"((disposition = 'in_progress' AND (bin = 'DOCK' OR {_PALLETS} OR {LEFT_ON_STAGE} OR {_RELEASED}))"
    " OR (disposition IN ('damaged', 'non_sellable_other', 'expired')"
    f" AND (bin = 'DOCK' OR {_PALLETS})))"
)
_COLUMNS = "sku_id, bin, disposition, lot, owner, external, quantity"


def facts(look: Look) -> PutAwayFacts:
    """What waits of the goods that were scanned or are in hand, and the bins that might do."""
    tx, scan, held = look.tx, look.scan, look.session.doing
    sku_id, sscc = (held.sku_id, held.sscc) if isinstance(held, InHand) else ("", "")
    if isinstance(scan, ItemScan):
        sku_id, sscc = scan.sku_id, ""
    elif isinstance(scan, SsccScan) and not sku_id:
        sscc = scan.sscc
    waiting = _waiting(tx, sku_id) if sku_id else _on_pallet(tx, sscc)
    if not waiting:
        return PutAwayFacts()
    load = bins_for.load_of(tx, sku_id) if sku_id else bins_for.load_of_all(tx, waiting)
    named = (look.session.bin_id, scan.bin_id if isinstance(scan, BinScan) else "")
    set_apart = any(there.disposition != Disposition.IN_PROGRESS for there in waiting)
    bins = bins_for.candidates(tx, load, named, set_apart=set_apart)
    return PutAwayFacts(waiting=waiting, load=load, bins=bins)


def _waiting(tx: Transaction, sku_id: str) -> tuple[Waiting, ...]:
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM balance WHERE sku_id = ?1 AND {_WAITS} ORDER BY bin = ?2 DESC, bin, lot",  # noqa: S608  # constants
        (sku_id, DOCK),
    )
    return _as_waiting(tx, list(rows))


def _on_pallet(tx: Transaction, sscc: str) -> tuple[Waiting, ...]:
    if not sscc:
        return ()
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM balance WHERE bin = ? AND bin <> '' ORDER BY sku_id, lot",  # noqa: S608  # a constant
        (unit_place(sscc),),
    )
    return _as_waiting(tx, list(rows))


def _as_waiting(tx: Transaction, rows: list[tuple[str, ...]]) -> tuple[Waiting, ...]:
    return tuple(
        Waiting(
            account.bin,
            account.sku_id,
            account.lot,
            int(quantity),
            ledger.serials_at(tx, account),
            account.disposition,
            catalogue.name_of(tx, account.sku_id),
        )
        for *named, quantity in rows
        for account in [Account(*named)]
    )


def _put_away(tx: Transaction, context: Context, effect: PutAway) -> None:
    if effect.disposition == Disposition.IN_PROGRESS:
        goods = [owned(tx, effect.goods)]
        ledger.move(tx, context, "put_away", goods, source_bin=effect.source_place, target_bin=effect.bin_id)
        return
    places = Places(effect.source_place, effect.bin_id, effect.disposition, effect.disposition)
    move_as(tx, context, "move", effect.goods, places)


DOES: Doers = {PutAway: _put_away}

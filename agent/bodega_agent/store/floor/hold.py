"""Quality hold: facts and effects."""

from __future__ import annotations

from bodega.core.floor_words import BinKind
from bodega.core.ledger import Disposition, Reference
from bodega.core.recipes import Places
from bodega_agent.rules.floor.hold.doing import Judged
from bodega_agent.rules.floor.hold.effects import Judge
from bodega_agent.rules.floor.hold.facts import HoldFacts, Lying
from bodega_agent.rules.floor.scans import ItemScan
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.floor.moving import move_as
from bodega_agent.store.transaction import Context, Transaction

_LYING = (
    "SELECT lot, disposition, sum(quantity) FROM balance WHERE sku_id = ? AND bin = ? AND bin <> '' AND disposition IN"
    " ('sellable_accessible', 'non_sellable_other', 'damaged', 'expired') GROUP BY lot, disposition"
)
_NOT_SELLING = (BinKind.QUALITY, BinKind.RETURNS)


def facts(look: Look) -> HoldFacts:
    """What lies in the session's bin of the SKU that was scanned, else of the one that is judged."""
    doing, bin_id = look.session.doing, look.session.bin_id
    sku_id = look.scan.sku_id if isinstance(look.scan, ItemScan) else ""
    if isinstance(doing, Judged):
        sku_id = doing.sku_id
    if not sku_id:
        return HoldFacts()
    rows = look.tx.execute(_LYING, (sku_id, bin_id))
    lying = tuple(Lying(sku_id, lot, Disposition(was), quantity) for lot, was, quantity in rows)
    kind = look.tx.one("SELECT kind FROM bin WHERE bin_id = ?", (bin_id,))
    return HoldFacts(lying=lying, from_shelf=kind is None or kind[0] not in _NOT_SELLING)


def _judge(tx: Transaction, context: Context, effect: Judge) -> None:
    if effect.becomes is None:
        places = Places(source_bin=effect.bin_id, source_disposition=effect.was)
        move_as(tx, context, "scrap", effect.goods, places, Reference(reason="judged on the floor"))
        return
    places = Places(effect.bin_id, effect.bin_id, effect.was, effect.becomes)
    move_as(tx, context, "change_disposition", effect.goods, places)


DOES: Doers = {Judge: _judge}

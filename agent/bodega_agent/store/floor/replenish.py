"""Replenishing: facts and effects."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.expiry import day_of, first_out_key, is_past
from bodega.core.ledger import Disposition
from bodega.core.promise import OverrideRule
from bodega.core.recipes import Places
from bodega.limits_floor import REFILL_SOURCES_MAX
from bodega_agent.rules.floor.replenish.doing import Refilling
from bodega_agent.rules.floor.replenish.effects import DoubtBin, Refill
from bodega_agent.rules.floor.replenish.facts import Face, ReplenishFacts, Source
from bodega_agent.rules.floor.replenish.plan import by_urgency
from bodega_agent.store import catalogue, count_tasks
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.floor.moving import move_as
from bodega_agent.store.overrides import is_set_aside
from bodega_agent.store.transaction import Context, Row, Transaction

_FACE = """
SELECT n.bin_id, n.fixed_sku_id, n.refill_below, n.refill_to, n.walk_order,
  (SELECT coalesce(sum(quantity), 0) FROM balance b WHERE b.sku_id = n.fixed_sku_id AND b.bin = n.bin_id
    AND b.disposition = 'sellable_accessible') AS held
FROM bin n WHERE n.refill_below > 0 AND n.fixed_sku_id <> ''
"""
# Of faces that lack something and are not the only place of their goods.
_NEEDY = f"""{_FACE} AND held < n.refill_below AND EXISTS (SELECT 1 FROM balance r WHERE r.sku_id = n.fixed_sku_id
  AND r.bin <> n.bin_id AND r.bin <> '' AND r.disposition = 'sellable_accessible')"""  # noqa: S608  # a constant
# Faces that somebody is at already.
_IN_WORK = (
    "SELECT json_extract(body, '$.doing.is.face') FROM floor_session"
    " WHERE device <> ? AND json_extract(body, '$.step') LIKE 'replenish%'"
)
# Other pick faces keep what they hold.
_SOURCES = """
SELECT b.bin, b.lot, sum(b.quantity), coalesce(n.walk_order, 0), coalesce(l.expiry, '') FROM balance b
JOIN bin n ON n.bin_id = b.bin LEFT JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot
WHERE b.sku_id = ?1 AND b.bin <> ?2 AND b.disposition = 'sellable_accessible' AND n.fixed_sku_id <> ?1
GROUP BY b.bin, b.lot
"""


def facts(look: Look) -> ReplenishFacts:
    """The face in work; at idle the one that needs it most and can be refilled."""
    doing = look.session.doing
    if isinstance(doing, Refilling):
        row = look.tx.one(f"{_FACE} AND n.bin_id = ?", (doing.face,))
        return ReplenishFacts(face=_with_sources(look.tx, _face(row)) if row else None)
    taken = {face for (face,) in look.tx.execute(_IN_WORK, (look.session.device,))}
    free = [_face(row) for row in look.tx.execute(_NEEDY) if row[0] not in taken]
    refillable = (_with_sources(look.tx, face) for face in by_urgency(free))
    return ReplenishFacts(face=next((face for face in refillable if face.sources), None))


def _face(row: Row) -> Face:
    bin_id, sku_id, below, refill_to, walk_order, held = row
    return Face(bin_id, sku_id, held, below, max(refill_to, below), walk_order)


def _with_sources(tx: Transaction, face: Face) -> Face:
    """The face with where more of it lies, and what people and scanners know the goods by."""
    sources = _sources(tx, face.sku_id, face.bin_id)
    sku = catalogue.sku_by_id(tx, face.sku_id) if sources else None
    name, gtins = (sku.name, sku.gtins) if sku else (face.sku_id, ())
    return replace(face, name=name, gtins=gtins, sources=sources)


def _sources(tx: Transaction, sku_id: str, face: str) -> tuple[Source, ...]:
    """Where more of it lies for sale; what has expired is left out unless a person has set that rule aside."""
    today = day_of(tx.now_ms())
    found = []
    for bin_id, lot, quantity, walk_order, expiry in list(tx.execute(_SOURCES, (sku_id, face))):
        if is_past(expiry, today) and not is_set_aside(tx, OverrideRule.EXPIRED, sku_id, lot):
            continue
        found.append(Source(bin_id, lot, quantity, walk_order, first_out_key(expiry)[0]))
    return tuple(sorted(found, key=lambda one: (one.first_out, one.walk_order)))[:REFILL_SOURCES_MAX]


def _refill(tx: Transaction, context: Context, effect: Refill) -> None:
    places = Places(effect.source_bin, effect.face, Disposition.SELLABLE, Disposition.SELLABLE)
    move_as(tx, context, "move", effect.goods, places)


def _doubt_bin(tx: Transaction, context: Context, effect: DoubtBin) -> None:
    count_tasks.open_task(tx, context, effect.bin_id, effect.sku_id, effect.lot)


DOES: Doers = {Refill: _refill, DoubtBin: _doubt_bin}

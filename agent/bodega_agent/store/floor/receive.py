"""Receiving: facts and effects."""

from __future__ import annotations

from bodega.core.ledger import DOCK, LotSeen
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.receive.effects import Receive
from bodega_agent.store import ledger
from bodega_agent.store.floor.common import Doers, owned
from bodega_agent.store.floor.look import Look
from bodega_agent.store.transaction import Context, Transaction


def facts(_look: Look) -> Facts:
    """Nothing: the book never refuses what has come in."""
    return Facts()


def _receive(tx: Transaction, context: Context, effect: Receive) -> None:
    goods = owned(tx, effect.goods)
    ledger.move(
        tx,
        context,
        "receive",
        [goods],
        target_bin=DOCK,
        entered=[effect.entered] if effect.entered else (),
        lots=[LotSeen(goods.sku_id, goods.lot, effect.expiry)] if effect.expiry else (),
    )


DOES: Doers = {Receive: _receive}

"""The node's rights to promise, moved in the transaction that says so in the journal."""

from __future__ import annotations

from bodega.core.rights import OwnRights
from bodega.v1 import stock_pb2
from bodega_agent.store.standing import own_rights
from bodega_agent.store.transaction import Context, Transaction

ASKED = "asked"


def take(tx: Transaction, context: Context, granted: stock_pb2.RightsGranted) -> None:
    """Take what the hub has given up for this node; InvalidInput for a quantity that is none."""
    after = own_rights(tx, granted.sku_id).take(granted.quantity)
    _keep(tx, granted.sku_id, after)
    tx.append(
        context,
        rights_taken=stock_pb2.RightsTaken(
            transfer_id=granted.transfer_id,
            sku_id=granted.sku_id,
            quantity=granted.quantity,
            held=after.held,
        ),
    )


def give_back(tx: Transaction, context: Context, wanted: stock_pb2.RightsWanted) -> None:
    """Give up what is free, at most what is wanted; the answer is recorded also when that is nothing."""
    after, given = own_rights(tx, wanted.sku_id).give_up(wanted.quantity)
    _keep(tx, wanted.sku_id, after)
    tx.append(
        context,
        rights_returned=stock_pb2.RightsReturned(
            transfer_id=wanted.transfer_id,
            sku_id=wanted.sku_id,
            quantity=given,
            held=after.held,
            reason=ASKED,
        ),
    )


def spend(tx: Transaction, sku_id: str, units: int) -> None:
    """Goods were posted; called before the reservation's row says so, the movement in the journal tells it."""
    _keep(tx, sku_id, own_rights(tx, sku_id).spend(units))


def _keep(tx: Transaction, sku_id: str, rights: OwnRights) -> None:
    tx.execute(
        "INSERT INTO rights(sku_id, held) VALUES (?, ?) ON CONFLICT DO UPDATE SET held = excluded.held",
        (sku_id, rights.held),
    )


def spend_at_most(tx: Transaction, sku_id: str, units: int) -> None:
    """Goods were posted on a line that has ended: the right goes with them, as far as there is one.

    The hub's `NodeRights.spent` says the same.
    """
    rights = own_rights(tx, sku_id)
    _keep(tx, sku_id, OwnRights(max(0, rights.held - units), rights.promised))

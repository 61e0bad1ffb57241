"""What a node's events say about its rights: taken, returned, spent by what it posted.

Applied in the envelope's transaction, so exactly once; shelf and rights change in one commit, and what the
hub may promise never flickers while a node sells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bodega.core.rights import NodeRights
from bodega.v1 import stock_pb2
from bodega_controlplane.app.goods.rights import GRANT, RECALL
from bodega_controlplane.store import rights
from bodega_controlplane.store.transaction import Transaction


class RightsBook:
    """What a batch of one node's events does to its rights; the caller holds the node's row."""

    def __init__(self, tx: Transaction, node_id: str, now_ms: int) -> None:
        self._tx = tx
        self._node_id = node_id
        self._now_ms = now_ms
        self._rights: dict[str, NodeRights] = {}
        self._reservations: dict[str, Mapping[str, Any]] = {}

    def taken(self, said: stock_pb2.RightsTaken, seq: int) -> None:
        """The node has what was granted."""
        before = self._of(said.sku_id)
        granted = self._settle(said.transfer_id, GRANT, said.sku_id, said.quantity)
        self._rights[said.sku_id] = before.taken(granted, said.held)
        self._tell("rights.taken", said, seq, expected=before.held + said.quantity)

    def returned(self, said: stock_pb2.RightsReturned, seq: int) -> None:
        """The node has given rights up; from here on they are the hub's."""
        before = self._of(said.sku_id)
        asked = self._settle(said.transfer_id, RECALL, said.sku_id, said.quantity)
        self._rights[said.sku_id] = before.returned(asked, said.held)
        self._tell("rights.returned", said, seq, expected=before.held - said.quantity)

    def spent(self, units: Mapping[str, int]) -> None:
        """The node posted; the goods have left its book in this same batch."""
        for sku_id, quantity in units.items():
            self._rights[sku_id] = self._of(sku_id).spent(quantity)

    def promised(self, said: stock_pb2.ReservationChanged) -> None:
        """A promise of the node's own changed."""
        self._reservations[said.reservation_id] = {
            "node_id": self._node_id,
            "reservation_id": said.reservation_id,
            "sku_id": said.sku_id,
            "quantity": said.quantity,
            "posted": said.posted,
            "voided": said.voided,
            "state": said.state,
            "reference": said.reference,
            "changed_at_ms": self._now_ms,
            "expires_after_ms": said.expires_after_ms,
        }

    def write(self) -> None:
        """Save what has changed."""
        rights.put(self._tx, self._node_id, self._rights)
        rights.put_reservations(self._tx, list(self._reservations.values()))

    def _of(self, sku_id: str) -> NodeRights:
        known = self._rights.get(sku_id)
        return rights.of(self._tx, self._node_id, sku_id) if known is None else known

    def _settle(self, transfer_id: str, kind: str, sku_id: str, quantity: int) -> int:
        """End the open transfer of this name; how many units it was for, 0 if we know of none."""
        row = rights.transfer(self._tx, transfer_id)
        if row is None or (row.node_id, row.kind, row.sku_id, row.state) != (
            self._node_id,
            kind,
            sku_id,
            "open",
        ):
            return 0
        rights.settle_transfer(self._tx, transfer_id, quantity, self._now_ms)
        return int(row.quantity)

    def _tell(
        self, action: str, said: stock_pb2.RightsTaken | stock_pb2.RightsReturned, seq: int, *, expected: int
    ) -> None:
        """The node's word stands; where our own book says otherwise, the trail keeps both."""
        detail = {
            "transfer_id": said.transfer_id,
            "sku_id": said.sku_id,
            "quantity": said.quantity,
            "held": said.held,
            "seq": seq,
        }
        if expected != said.held:
            detail["expected"] = expected
        self._tx.audit(
            at_ms=self._now_ms,
            actor=f"node:{self._node_id}",
            action=action,
            subject=self._node_id,
            detail=detail,
        )

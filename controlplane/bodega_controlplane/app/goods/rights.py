"""Rights to promise, moved between the hub and a node in two phases: given up here, taken there.

The hub grants only what it may promise itself, under the node's lock, and counts it as nobody's until the
node's journal says that it was taken. What it asks back stays the node's until the node has answered.
"""

from __future__ import annotations

import json
from typing import Any

from bodega.core.rebalance import GRANT, RECALL
from bodega.core.rights import NodeRights
from bodega.errors import FieldFault, NotFound, Refused
from bodega.limits import QUANTITY_MAX
from bodega.v1 import journal_pb2, stock_pb2
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.goods.rights_views import NodeRightsView, RightsDraft, RightsMove
from bodega_controlplane.app.goods.stock import standing_of
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.views import Caller, Page, PageRequest
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import catalogue, nodes, rights, stock
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

__all__ = ["GRANT", "RECALL", "check", "grant", "list_rights", "recall", "text_of"]


def check(draft: RightsDraft) -> None:
    """Raises InvalidInput with every fault of a request, before anything is asked of the database."""
    faults = Faults()
    faults.identifier("request_id", draft.request_id)
    faults.identifier("node_id", draft.node_id)
    faults.identifier("sku_id", draft.sku_id)
    faults.number("quantity", draft.quantity, 1, QUANTITY_MAX)
    faults.raise_if_any("the request")


def text_of(draft: RightsDraft) -> bytes:
    """What must be equal for two requests of one id to be the same one."""
    return json.dumps([draft.node_id, draft.sku_id, draft.quantity]).encode()


def grant(tx: Transaction, caller: Caller, draft: RightsDraft, policy: Policy) -> RightsMove:
    """Give a node the right to promise units; they leave the hub's availability in this transaction.

    Raises InvalidInput, NotFound, Refused with code "insufficient-rights" when the hub may not promise them.
    """
    _lock(tx, draft)
    held = stock.held(tx, [draft.sku_id], [draft.node_id])
    standing = standing_of(held.get((draft.node_id, draft.sku_id), stock.Held()), policy)
    if draft.quantity > standing.available:
        raise _insufficient(
            f"{draft.quantity} asked, {standing.available} may be given ({standing.sellable} sellable, "
            f"{standing.reserved} reserved, {standing.node_rights} held by the node, "
            f"{standing.safety_stock} safety stock)",
            "give less, or wait until stock has been received: bodegactl stock available SKU",
        )
    after = rights.of(tx, draft.node_id, draft.sku_id).grant(draft.quantity)
    return _move(tx, caller, draft, GRANT, after)


def recall(tx: Transaction, caller: Caller, draft: RightsDraft) -> RightsMove:
    """Ask a node for rights; nothing is the hub's before the node has answered.

    Raises InvalidInput, NotFound, Refused with code "insufficient-rights" for more than the node has or will
    have and has not been asked for yet.
    """
    _lock(tx, draft)
    known = rights.of(tx, draft.node_id, draft.sku_id)
    askable = known.not_the_hubs - known.wanted
    if draft.quantity > askable:
        raise _insufficient(
            f"{draft.quantity} asked, {max(0, askable)} can be ({known.held} held, {known.in_flight} in flight, "
            f"{known.wanted} asked for already)",
            "ask for less: bodegactl rights ls",
        )
    return _move(tx, caller, draft, RECALL, known.want(draft.quantity))


def _lock(tx: Transaction, draft: RightsDraft) -> None:
    check(draft)
    tx.lock_nodes([draft.node_id])
    if nodes.by_id(tx, draft.node_id) is None:
        raise NotFound(f"there is no node '{draft.node_id}'", hint="list the nodes: bodegactl nodes ls")
    if not catalogue.by_ids(tx, {draft.sku_id}):
        raise NotFound(f"there is no SKU '{draft.sku_id}'", hint="list the catalogue: bodegactl catalog ls")


def _insufficient(problem: str, hint: str) -> Refused:
    fault = FieldFault("quantity", problem)
    return Refused(
        f"these rights can not move: {problem}", code="insufficient-rights", hint=hint, faults=(fault,)
    )


def _move(tx: Transaction, caller: Caller, draft: RightsDraft, kind: str, after: NodeRights) -> RightsMove:
    transfer_id = new_id("R", caller.now_ms)
    about: dict[str, Any] = {"transfer_id": transfer_id, "sku_id": draft.sku_id, "quantity": draft.quantity}
    rights.put(tx, draft.node_id, {draft.sku_id: after})
    rights.begin_transfer(
        tx,
        {**about, "kind": kind, "node_id": draft.node_id, "state": "open", "asked_at_ms": caller.now_ms},
    )
    event = (
        journal_pb2.HubEvent(rights_granted=stock_pb2.RightsGranted(**about))
        if kind == GRANT
        else journal_pb2.HubEvent(rights_wanted=stock_pb2.RightsWanted(**about))
    )
    outbox.post(tx, caller, draft.node_id, [event], cmd_id=draft.request_id, correlation_id=transfer_id)
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="rights.granted" if kind == GRANT else "rights.recalled",
        subject=draft.node_id,
        detail=about,
    )
    (row,) = rights.page(tx, None, 1, node_id=draft.node_id, sku_id=draft.sku_id)
    return RightsMove(transfer_id, _view(row))


def list_rights(
    tx: Transaction, page: PageRequest, *, node_id: str = "", sku_id: str = ""
) -> Page[NodeRightsView]:
    """By SKU and node; empty filters mean all."""
    limit = limit_of(page.size)
    after = key_of(page.token, *[str] * len(rights.LISTING))
    rows = rights.page(tx, after, limit + 1, node_id=node_id, sku_id=sku_id)
    views = tuple(map(_view, rows[:limit]))
    return Page(views, token_after(views[-1].sku_id, views[-1].node_id) if len(rows) > limit else "")


def _view(row: Row) -> NodeRightsView:
    return NodeRightsView(row.sku_id, row.node_id, row.held, int(row.promised), row.in_flight, row.wanted)

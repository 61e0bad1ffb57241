"""Whom orders went to, forgotten: some time after they have ended, or at once when somebody asks for it.

Erased are the recipient and a pickup's code in the order, where its routing decisions say that it went, and the
recipient at every node that was asked to serve it, labels and slips included. What the hub has told a node is a chain
and is not rewritten: the work in it goes with the trim of that stream, DOWN_LOG_KEPT_S after the node has applied it,
which is within the month that the law gives (GDPR, article 12 (3)). Orders under way keep what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bodega.errors import NotFound, Refused
from bodega.limits_events import ERASED_ORDERS_PER_COMMIT_MAX
from bodega.v1 import journal_pb2
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.routing import records
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import orders, privacy
from bodega_controlplane.store.transaction import Contended, Transaction

_DAY_MS = 24 * 3600 * 1000

# Every room that keeps something personal of an order blanks it here.
BLANKERS: tuple[Callable[[Transaction, Collection[str]], object], ...] = (privacy.blank, records.erase)


@dataclass(frozen=True, slots=True)
class Erased:
    """Orders that had a recipient until now, and the nodes that were told."""

    order_ids: tuple[str, ...]
    node_ids: tuple[str, ...]


def erase(tx: Transaction, caller: Caller, order_ids: Sequence[str], reason: str) -> Erased:
    """Forget whom these orders went to; those that are forgotten already stay so.

    Raises InvalidInput, NotFound, and Refused with code "order-open" if one of them is under way; then nothing is
    erased.
    """
    faults = Faults()
    faults.count("order_ids", order_ids, 1, ERASED_ORDERS_PER_COMMIT_MAX)
    faults.text("reason", reason)
    faults.raise_if_any("the request")
    wanted = set(order_ids)
    _lock(tx, wanted)
    known = privacy.known(tx, wanted)
    unknown = sorted(wanted - known.keys())
    if unknown:
        raise NotFound(f"there is no order '{unknown[0][:80]}'", hint="list the orders: bodegactl orders ls")
    under_way = sorted(order_id for order_id, row in known.items() if not row.ended)
    if under_way:
        raise Refused(
            f"order {under_way[0]} is under way",
            code="order-open",
            hint="cancel it, or wait until it has ended and every node that was asked has said so: see "
            f"bodegactl orders show {under_way[0]}; who may still ship it needs the address",
        )
    return _erase(tx, caller, [order_id for order_id, row in known.items() if row.personal], reason)


def erase_ended(tx: Transaction, caller: Caller, kept_days: int) -> int:
    """Forget whom orders went to that ended more than `kept_days` ago, oldest first; how many of them.

    At most ERASED_ORDERS_PER_COMMIT_MAX: there may be more. 0 days: they are kept until somebody erases them.
    """
    if not kept_days:
        return 0
    found = privacy.ended_before(tx, caller.now_ms - kept_days * _DAY_MS, ERASED_ORDERS_PER_COMMIT_MAX)
    _lock(tx, set(found))
    # Looked at again under the lock: another instance may have been here.
    known = privacy.known(tx, found)
    left = [order_id for order_id in found if known[order_id].ended and known[order_id].personal]
    _erase(tx, caller, left, f"ended more than {kept_days} days ago")
    return len(left)


def _lock(tx: Transaction, order_ids: set[str]) -> None:
    """Hold the nodes of these orders, then the orders: nobody moves or ends them meanwhile."""
    before = privacy.nodes_of(tx, order_ids)
    tx.lock_nodes(before)
    orders.lock(tx, order_ids)
    if privacy.nodes_of(tx, order_ids) != before:
        raise Contended("an order has just been moved")


def _erase(tx: Transaction, caller: Caller, order_ids: Sequence[str], reason: str) -> Erased:
    if not order_ids:
        return Erased((), ())
    told = privacy.nodes_of(tx, order_ids)
    for blank in BLANKERS:
        blank(tx, order_ids)
    cmd_id = new_id("E", caller.now_ms)
    for node_id, of_node in told.items():
        event = journal_pb2.HubEvent(recipients_erased=journal_pb2.RecipientsErased(order_ids=of_node))
        outbox.post(tx, caller, node_id, [event], cmd_id=cmd_id)
    for order_id in sorted(order_ids):
        detail = {"reason": reason}
        tx.audit(
            at_ms=caller.now_ms, actor=caller.actor, action="order.erased", subject=order_id, detail=detail
        )
    return Erased(tuple(sorted(order_ids)), tuple(told))

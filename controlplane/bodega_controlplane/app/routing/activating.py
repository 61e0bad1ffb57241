"""Puts a bundle in force: here in one transaction, at every instance as it looks, at every node by its stream."""

from __future__ import annotations

from collections.abc import Sequence

from bodega.core.routing.bundle import DEFAULT, Bundle
from bodega.errors import Refused
from bodega.routing_wire import activation_text, bundle_message
from bodega.v1 import journal_pb2
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.routing import bundles
from bodega_controlplane.app.routing.bundles import Sign
from bodega_controlplane.app.routing.views import ActivationView, AtNodeView
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import nodes, routing
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


def activate(tx: Transaction, caller: Caller, bundle: Bundle, reason: str, sign: Sign) -> ActivationView:
    """Put a checked bundle in force and tell every node.

    Raises InvalidInput (no reason), Refused ("version-taken", "in-force-already").
    """
    _check_reason(reason)
    routing.lock(tx)
    bundles.keep(tx, caller, bundle, sign)
    number, digest = bundles.in_force(tx)
    if digest == bundle.digest:
        raise Refused(
            f"{bundle.rule} is in force already", code="in-force-already", hint="nothing was changed"
        )
    row = {"digest": bundle.digest, "rule": bundle.rule, "back_to": number, "rollback": False}
    return _put_in_force(tx, caller, row, reason, sign)


def rollback(tx: Transaction, caller: Caller, reason: str, sign: Sign) -> ActivationView:
    """Put in force again what was so before the present bundle was activated.

    Raises InvalidInput (no reason), Refused ("nothing-before").
    """
    _check_reason(reason)
    routing.lock(tx)
    present = routing.activation(tx, bundles.in_force(tx)[0])
    if present is None or (present.rollback and not present.back_to and present.digest == DEFAULT.digest):
        raise Refused(
            "there is no bundle to take back: the default is in force",
            code="nothing-before",
            hint="put another one in force: bodegactl routing activate",
        )
    before = routing.activation(tx, present.back_to)
    if before is None:
        bundles.keep_default(tx, caller, sign)
    row = {
        "digest": before.digest if before is not None else DEFAULT.digest,
        "rule": before.rule if before is not None else DEFAULT.rule,
        "back_to": before.back_to if before is not None else 0,
        "rollback": True,
    }
    return _put_in_force(tx, caller, row, reason, sign)


def _check_reason(reason: str) -> None:
    faults = Faults()
    faults.text("reason", reason)
    faults.raise_if_any("the activation")


def _put_in_force(
    tx: Transaction, caller: Caller, row: dict[str, object], reason: str, sign: Sign
) -> ActivationView:
    # A hub that was restored may have forgotten activations that nodes have heard of.
    number = max(bundles.in_force(tx)[0], routing.highest_at_nodes(tx)) + 1
    digest = str(row["digest"])
    row = {
        **row,
        "activation": number,
        "signature": sign(activation_text(number, bytes.fromhex(digest))),
        "actor": caller.actor,
        "reason": reason,
        "at_ms": caller.now_ms,
    }
    before = bundles.in_force(tx)[1]
    routing.activate(tx, row)
    node_ids = nodes.ids(tx)
    tx.lock_nodes(node_ids)
    cmd_id = new_id("C", caller.now_ms)
    for node_id in node_ids:
        outbox.post(tx, caller, node_id, said_again(tx), cmd_id=cmd_id)
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="routing.rolled_back" if row["rollback"] else "routing.activated",
        subject=str(row["rule"]),
        detail={"activation": number, "digest": digest, "before": before, "nodes": len(node_ids)},
    )
    made = routing.activation(tx, number)
    assert made is not None, "it has just been written"
    return _view(made)


def said_again(tx: Transaction) -> Sequence[journal_pb2.HubEvent]:
    """What a node is told of the bundle in force; nothing while it is the default, which every node has."""
    newest = routing.activations(tx, 1)
    if not newest:
        return ()
    kept = bundles.row_of(tx, newest[0].digest)
    message = bundle_message(newest[0].activation, kept.document, newest[0].signature)
    return (journal_pb2.HubEvent(routing_bundle=message),)


def list_activations(tx: Transaction, size: int) -> tuple[ActivationView, ...]:
    """The newest first."""
    return tuple(map(_view, routing.activations(tx, limit_of(size))))


def at_nodes(tx: Transaction) -> tuple[AtNodeView, ...]:
    """What every node decides by, as it has said, by id."""
    return tuple(AtNodeView(row.node_id, row.routing_activation, *_reported(row)) for row in nodes.all_of(tx))


def _reported(row: Row) -> tuple[str, tuple[str, ...]]:
    digest, *faults = row.routing_reported.split("\n")
    return digest, tuple(faults)


def _view(row: Row) -> ActivationView:
    return ActivationView(
        row.activation, row.rule, row.digest, row.rollback, row.actor, row.reason, row.at_ms
    )

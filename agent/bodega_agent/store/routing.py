"""The routing bundle that this node decides by where it decides alone: kept as the hub has signed it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from bodega.core.routing.bundle import DEFAULT, Bundle, parse
from bodega.errors import InvalidInput, PeerFault
from bodega.routing_wire import document_of
from bodega.v1 import routing_pb2
from bodega_agent.store.transaction import Context, Transaction

_BUNDLE, _ACTIVATION = "routing_bundle", "routing_activation"
# Of a refused bundle, so much is said: the hub's operator has `bodegactl routing validate` for the rest.
_FAULTS_TOLD_MAX = 5


def take(
    tx: Transaction,
    context: Context,
    message: routing_pb2.RoutingBundle,
    verify: Callable[[bytes, bytes], bool],
) -> None:
    """Decide by a newer bundle if the hub has signed it and this version can read it; else by the one before."""
    if message.activation <= tx.get(_ACTIVATION, 0):
        return
    faults: list[str] = []
    try:
        parse(document_of(message, verify))
    except PeerFault as fault:
        faults = [fault.message]
    except InvalidInput as error:
        faults = [f"{one.where}: {one.problem}" for one in error.faults[:_FAULTS_TOLD_MAX]] or [error.message]
    if not faults:
        tx.put(_ACTIVATION, message.activation)
        tx.put(_BUNDLE, message.SerializeToString())
    kept = message_in(tx.get(_BUNDLE))
    reported = routing_pb2.RoutingReported(
        activation=kept.activation if kept else 0, digest=kept.digest if kept else b"", faults=faults
    )
    tx.append(context, routing_reported=reported)


def message_in(body: bytes | None) -> routing_pb2.RoutingBundle | None:
    """The value of meta `routing_bundle`."""
    return routing_pb2.RoutingBundle.FromString(body) if body is not None else None


def bundle_of_the_hub(tx: Transaction) -> Bundle | None:
    """What the hub has put in force here; None before it has sent any."""
    body = tx.get(_BUNDLE)
    return bundle_in(body) if body is not None else None


def bundle_in_force(tx: Transaction) -> Bundle:
    """What this node decides by; the default before the hub has told it of another."""
    return bundle_in(tx.get(_BUNDLE))


@lru_cache(maxsize=2)
def bundle_in(body: bytes | None) -> Bundle:
    """The bundle in the value of meta `routing_bundle`: signature and rules were checked before it was kept.

    Its rules are compiled, and the engine is loaded, by the first decision that needs them.
    """
    message = message_in(body)
    if message is None:
        return DEFAULT
    return parse(document_of(message, lambda _signature, _text: True), is_known=True)

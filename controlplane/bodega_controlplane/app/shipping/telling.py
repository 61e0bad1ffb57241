"""Gives nodes the services of the card in force, in their profiles, so that they can choose without the hub.

Each node in a transaction of its own, and only where its services change; after a crash the next round goes on.
"""

from __future__ import annotations

from bodega.errors import NotFound
from bodega.limits_hub import RATES_TOLD_NODES_MAX
from bodega.v1 import catalogue_pb2, journal_pb2
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.shipping.services import card_in_force, keep, same, services_of, stamp_of
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import nodes, rates
from bodega_controlplane.store.transaction import Transaction


def behind(tx: Transaction, now_ms: int) -> list[str]:
    """Nodes that were not given what is right now."""
    return rates.behind(tx, stamp_of(tx, now_ms), RATES_TOLD_NODES_MAX)


def tell(tx: Transaction, caller: Caller, node_id: str) -> bool:
    """Give a node its services; whether they are others than it had. Raises NotFound."""
    tx.lock_nodes([node_id])
    node = nodes.by_id(tx, node_id)
    if node is None:
        raise NotFound(f"there is no node '{node_id}'", hint="list the nodes: bodegactl nodes ls")
    version, card = card_in_force(tx, caller.now_ms)
    profile = catalogue_pb2.NodeProfile.FromString(node.profile)
    services = services_of(node_id, profile.carrier_services, version, card, rates.down(tx))
    changed = not same(services, profile.carrier_services)
    if changed:
        profile.version = node.profile_version + 1
        del profile.carrier_services[:]
        profile.carrier_services.extend(services)
        nodes.change(
            tx, node_id, profile=profile.SerializeToString(), profile_version=node.profile_version + 1
        )
        event = journal_pb2.HubEvent(node_profile=profile)
        outbox.post(tx, caller, node_id, [event], cmd_id=new_id("C", caller.now_ms))
    keep(tx, caller.now_ms, profile)
    return changed

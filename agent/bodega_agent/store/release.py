"""How urgent each waiting order is: the rule (`rules.floor.pick.release`) with the node's profile, kept in rows."""

from __future__ import annotations

from bodega.v1 import catalogue_pb2
from bodega_agent.rules.floor.pick.release import Collections, urgency_of
from bodega_agent.store import catalogue
from bodega_agent.store.local_time import zone_of
from bodega_agent.store.transaction import Row, Transaction

_COLUMNS = "fulfillment_order_id, carrier_service, service_class, ship_by_ms, placed_at_ms, method"


def rank(tx: Transaction, fulfillment_order_id: str) -> None:
    """Say how urgent this order is."""
    row = tx.one(
        f"SELECT {_COLUMNS} FROM fulfillment_order WHERE fulfillment_order_id = ?",  # noqa: S608  # a constant
        (fulfillment_order_id,),
    )
    assert row is not None, "the caller has written it"
    _rank(tx, [row])


def rank_waiting(tx: Transaction) -> None:
    """The carriers' hours may have changed: say it again of all that wait."""
    _rank(tx, list(tx.execute(f"SELECT {_COLUMNS} FROM fulfillment_order WHERE state = 'assigned'")))  # noqa: S608  # a constant


def _rank(tx: Transaction, rows: list[Row]) -> None:
    profile = catalogue.profile_of(tx) or catalogue_pb2.NodeProfile()
    zone = zone_of(profile)
    hours = {
        one.service: Collections(one.cut_off_minute, frozenset(one.collection_days))
        for one in profile.carrier_services
    }
    ranked = []
    for fulfillment_order_id, service, service_class, ship_by_ms, placed_at_ms, method in rows:
        urgency = urgency_of(
            placed_at_ms=placed_at_ms,
            ship_by_ms=ship_by_ms,
            method=method,
            service_class=service_class,
            collections=hours.get(service),
            zone=zone,
        )
        ranked.append((urgency.due_ms, urgency.tier, fulfillment_order_id))
    tx.executemany("UPDATE fulfillment_order SET due_ms = ?, tier = ? WHERE fulfillment_order_id = ?", ranked)

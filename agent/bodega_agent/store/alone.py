"""What this node decides alone, as a question for the routing rules: the order or the sale, and this one node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bodega.core.promise import Standing
from bodega.core.routing.inputs import Destination, Inputs, Line, Site
from bodega.v1 import catalogue_pb2, orders_pb2
from bodega_agent.rules.floor.alone import Alone
from bodega_agent.store import catalogue, routing
from bodega_agent.store.reads.stage import OPEN_STATES
from bodega_agent.store.transaction import Transaction

# The goods lie on the stage: no rule about stock keeps them there.
_IN_HAND = Standing(1_000_000_000)


def within_site(tx: Transaction, fulfillment_order_id: str, sku_ids: Iterable[str]) -> Alone:
    """Where else here the goods of an order are: one line for each SKU, of one unit; the shelves are the walk's.

    Nothing is carried, so the destination is this node: no recipient is in it.
    """
    row = tx.one(
        "SELECT method, service_class, ship_complete, ship_by_ms FROM fulfillment_order"
        " WHERE fulfillment_order_id = ?",
        (fulfillment_order_id,),
    )
    method, service_class, ship_complete, ship_by_ms = row or ("", "", 0, 0)
    lines = tuple(_line(tx, number, sku_id, 1) for number, sku_id in enumerate(sku_ids, start=1))
    inputs = replace(
        _here(tx, lines, {}),
        method=method or "parcel",
        service_class=service_class,
        ship_complete=bool(ship_complete),
        ship_by_ms=ship_by_ms,
    )
    return Alone(routing.bundle_in_force(tx), inputs)


def own_promise(tx: Transaction, available: Mapping[str, int], demand: Mapping[str, int]) -> Alone:
    """Whether this node may promise units by SKU to somebody who fetches them here; `available`: by its own rights."""
    lines = tuple(
        _line(tx, number, sku_id, units) for number, (sku_id, units) in enumerate(sorted(demand.items()), 1)
    )
    standings = {sku_id: Standing(units) for sku_id, units in available.items()}
    inputs = _here(tx, lines, standings)
    (site,) = inputs.sites
    profile = catalogue.profile_of(tx)
    busy = replace(
        site, open_orders=_open_orders(tx), capacity_orders=profile.capacity_orders if profile else 0
    )
    return Alone(routing.bundle_in_force(tx), replace(inputs, sites=(busy,)))


def _open_orders(tx: Transaction) -> int:
    """Orders that this node has still to hand over."""
    row = tx.one(f"SELECT count(*) FROM fulfillment_order WHERE state IN {OPEN_STATES}")  # noqa: S608  # a constant
    return int(row[0]) if row else 0


def _here(tx: Transaction, lines: tuple[Line, ...], standings: Mapping[str, Standing]) -> Inputs:
    """Goods that stay here until somebody comes for them."""
    profile = catalogue.profile_of(tx) or catalogue_pb2.NodeProfile(node_id=tx.get("node_id"))
    at = profile.location
    return Inputs(
        now_ms=tx.now_ms(),
        channel="",
        method="pickup",
        service_class="",
        lines=lines,
        destination=Destination(profile.country, "", at.latitude, at.longitude),
        sites=(_this_node(tx, profile, standings),),
        at_node=profile.node_id,
    )


def question(tx: Transaction, profile: catalogue_pb2.NodeProfile, fulfillment_order_id: str) -> Alone | None:
    """The question of an order's carrier, without what they offer; None while the hub has sent no bundle."""
    bundle = routing.bundle_of_the_hub(tx)
    row = tx.one(
        "SELECT recipient, method, service_class, ship_complete, ship_by_ms FROM fulfillment_order"
        " WHERE fulfillment_order_id = ?",
        (fulfillment_order_id,),
    )
    if bundle is None or row is None:
        return None
    recipient, method, service_class, ship_complete, ship_by_ms = row
    to = orders_pb2.Recipient.FromString(recipient)
    lines = _lines(tx, fulfillment_order_id)
    inputs = Inputs(
        now_ms=tx.now_ms(),
        channel="",
        method=method or "parcel",
        service_class=service_class,
        lines=lines,
        destination=Destination(to.country, to.postal_code, to.location.latitude, to.location.longitude),
        sites=(_this_node(tx, profile, {line.sku_id: _IN_HAND for line in lines}),),
        ship_complete=bool(ship_complete),
        ship_by_ms=ship_by_ms,
        at_node=profile.node_id,
    )
    return Alone(bundle, inputs)


def _lines(tx: Transaction, fulfillment_order_id: str) -> tuple[Line, ...]:
    rows = tx.execute(
        "SELECT line, sku_id, quantity FROM fulfillment_line WHERE fulfillment_order_id = ? ORDER BY line",
        (fulfillment_order_id,),
    )
    return tuple(_line(tx, *row) for row in list(rows))


def _line(tx: Transaction, line: int, sku_id: str, quantity: int) -> Line:
    sku = catalogue.sku_by_id(tx, sku_id)
    if sku is None:
        return Line(line, sku_id, quantity)
    return Line(line, sku_id, quantity, sku.temperature_class, sku.weight_g, sku.volume_ml)


def _this_node(
    tx: Transaction, profile: catalogue_pb2.NodeProfile, standings: Mapping[str, Standing]
) -> Site:
    there = datetime.fromtimestamp(tx.now_ms() / 1000, ZoneInfo(profile.time_zone or "UTC"))
    return Site(
        profile.node_id,
        profile.location.latitude,
        profile.location.longitude,
        standings,
        kind=profile.kind,
        country=profile.country,
        labels=dict(profile.labels),
        local_minute=there.hour * 60 + there.minute,
        weekday=there.isoweekday(),
    )

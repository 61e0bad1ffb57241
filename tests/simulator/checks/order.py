"""Any order of delivery gives the same state and the same conflicts.

What came in after the faults is brought once more into copies of the hub's database of that moment: cut into other
envelopes, the nodes mixed in another way, and much of it twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from bodega.codec import envelope_to_bytes
from bodega.core.sync import Head, Recorded, pack
from bodega_controlplane.app.applying.journal import Delivery, apply
from bodega_controlplane.store.engine import Store, open_store
from simulator.hub import copy_database
from simulator.seeding import seed_identifiers, seeded
from simulator.world import World

ORDERS = 2

# Times say when, not what; audit lines are numbered as they come, and identifiers are drawn as they are needed.
TABLES = {
    "stock": "*",
    "serial": "*",
    "node_rights": "*",
    "node_reservation": "node_id, reservation_id, sku_id, quantity, posted, voided, state",
    "rights_transfer": "transfer_id, kind, node_id, sku_id, quantity, settled, state",
    "orders": "order_id, state",
    "order_line": "order_id, line, sku_id, quantity, shipped, short",
    "order_part": "order_id, part, state",
    "part_line": "order_id, part, line, quantity",
    "fulfillment_order": "fulfillment_order_id, order_id, part, node_id, state, sscc",
    "fulfillment_line": "fulfillment_order_id, line, node_id, sku_id, quantity, posted, voided, state, shipped, short",
    "conflict": "conflict_id, kind, rule, inputs, effect",
    "parked_event": "node_id, epoch, seq, reason",
    "task": "node_id, task_id",
    "discrepancy": "node_id, epoch, seq, closed_seq",
}


def any_order_gives_the_same(world: World) -> Iterator[str]:
    """The same rows in every table that says what is so."""
    if world.before_healing is None or world.facts.uprooted or world.facts.hub_was_restored:
        return
    came = _came_since(world, world.before_healing)
    if not any(came.values()):
        return
    found = [_in_another_order(world, world.before_healing, came, number) for number in range(ORDERS)]
    for table in TABLES:
        if len({repr(tables[table]) for tables in found}) > 1:
            rows = [set(tables[table]) for tables in found]
            yield f"another order of delivery gives another table {table}: {sorted(rows[0] ^ rows[1])[:4]}"


def _came_since(world: World, before: Path) -> dict[str, list[Recorded]]:
    """The events of each node that the hub had not applied then."""
    store = open_store("sqlite", copy_database(before, before.with_name("came-since")))
    heads = dict(_rows(store, "SELECT node_id, applied_seq FROM node"))
    store.close()
    sql = "SELECT seq, body, hash FROM journal WHERE node_id = ? AND seq > ? ORDER BY seq"
    return {name: [Recorded(*row) for row in world.hub.rows(sql, name, heads[name])] for name in world.nodes}


def _in_another_order(
    world: World, before: Path, came: dict[str, list[Recorded]], number: int
) -> dict[str, list[tuple[Any, ...]]]:
    seed_identifiers(world.plan.seed)
    luck = seeded(world.plan.seed, f"order {number}")
    store = open_store("sqlite", copy_database(before, before.with_name(f"order-{number}")))
    heads = {name: Head(1, seq, bytes(h)) for name, seq, h in _rows(store, _HEADS)}
    ways = {name: _cut(name, heads[name], events, luck) for name, events in came.items()}
    for deliveries in _mixed(ways, luck):
        store.write(lambda tx, deliveries=deliveries: apply(tx, world.hub.clock.now_ms(), deliveries))
    tables = {name: sorted(_rows(store, f"SELECT {columns} FROM {name}")) for name, columns in TABLES.items()}
    store.close()
    return tables


_HEADS = "SELECT node_id, applied_seq, applied_hash FROM node"


def _cut(name: str, head: Head, events: Sequence[Recorded], luck: Random) -> list[Delivery]:
    """Envelopes of any size, many of them once more later on."""
    deliveries: list[Delivery] = []
    rest = list(events)
    while rest:
        taken = rest[: luck.randint(1, len(rest))]
        body = envelope_to_bytes(pack(name, head, taken))
        deliveries.append(Delivery(name, f"up.{name}.1", body))
        if luck.random() < 0.4:
            deliveries.append(luck.choice(deliveries))
        head, rest = Head(1, taken[-1].seq, taken[-1].hash), rest[len(taken) :]
    return deliveries


def _mixed(ways: dict[str, list[Delivery]], luck: Random) -> Iterator[list[Delivery]]:
    """Batches that take from the nodes as luck will have it, each node's in its own order."""
    waiting = {name: list(deliveries) for name, deliveries in ways.items() if deliveries}
    while waiting:
        batch = []
        for _ in itertools.repeat(None, luck.randint(1, 5)):
            if waiting:
                name = luck.choice(sorted(waiting))
                batch.append(waiting[name].pop(0))
                if not waiting[name]:
                    del waiting[name]
        yield batch


def _rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return store.read(lambda tx: [tuple(row) for row in tx.connection.exec_driver_sql(sql)])

"""What a fleet has written, read from its files and held against each other: nothing lost, nothing doubled.

`faults` tells in sentences what does not agree yet; `check_books` waits until it has nothing to tell.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from bodega.core.chain import GENESIS, extend
from bodega.core.ledger import DOCK
from bodega_agent.store.reader import Reader
from bodega_controlplane.store import nodes, schema
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Transaction
from support.fleet import NODES, SKU, Fleet
from support.fleet_load import OPENING_UNITS, PATIENCE_S, SHELF, Work, ask
from support.waiting import until_async

LOOK_S = 0.2


class Entry(NamedTuple):
    """One event of a node's journal, as either end has it."""

    epoch: int
    seq: int
    cmd_id: str
    fact: str
    body: bytes
    hash: bytes


@dataclass(frozen=True)
class Books:
    """One side's books of one node; `down` is (epoch, sequence, hash) of the last event of the hub."""

    journal: list[Entry]
    balances: dict[tuple[str, ...], int]
    down: tuple[int, int, bytes]
    work: set[str]


def of_node(fleet: Fleet, node_id: str) -> Books:
    """What the node's file says."""
    reader = Reader(fleet.state_dir(node_id) / "ledger.db")
    try:
        with reader.snapshot():
            epoch = reader.head().epoch
            journal = reader.rows("SELECT seq, cmd_id, fact, body, hash FROM journal ORDER BY seq")
            balances = reader.rows("SELECT * FROM balance")
            work = reader.rows("SELECT fulfillment_order_id FROM fulfillment_order")
            down = (reader.meta("down_epoch", 0), reader.meta("down_seq", 0), reader.meta("down_hash", b""))
    finally:
        reader.close()
    return Books(
        [Entry(epoch, *row.values()) for row in journal],
        {tuple(row[name] for name in _ACCOUNT): row["quantity"] for row in balances},
        down,
        {row["fulfillment_order_id"] for row in work},
    )


_PLACES = (DOCK, SHELF)
_ACCOUNT = ("sku_id", "bin", "disposition", "lot", "owner", "external")


def of_hub(tx: Transaction, node_id: str) -> Books:
    """What the hub's database says of the node."""
    journal, stock, work = schema.journal.c, schema.stock.c, schema.fulfillment_order.c
    entries = sa.select(*(journal[name] for name in Entry._fields)).where(journal.node_id == node_id)
    units = sa.select(*(stock[name] for name in _ACCOUNT), stock.quantity).where(stock.node_id == node_id)
    orders = sa.select(work.fulfillment_order_id).where(work.node_id == node_id)
    node = tx.connection.execute(sa.select(schema.node).where(schema.node.c.node_id == node_id)).one()
    return Books(
        [Entry(*row) for row in tx.connection.execute(entries.order_by(journal.epoch, journal.seq))],
        {tuple(row[:-1]): row.quantity for row in tx.connection.execute(units) if row.quantity},
        (node.down_epoch, node.down_seq, node.down_hash),
        set(tx.connection.execute(orders).scalars()),
    )


def faults(store: Store, work: Work) -> list[str]:
    """What does not agree, or is not as it was answered; empty if all is well."""
    found = []
    for node_id in NODES:
        hub = store.read(lambda tx, node_id=node_id: of_hub(tx, node_id))  # type: ignore[misc]  # its one argument
        node = of_node(work.fleet, node_id)
        found += [f"{node_id}: {text}" for text in [*_differences(node, hub), *_effects(node, work, node_id)]]
    return found + store.read(lambda tx: _set_aside(tx, work))


def _differences(node: Books, hub: Books) -> list[str]:
    found = []
    if [entry.hash for entry in node.journal] != extend(GENESIS, (entry.body for entry in node.journal)):
        found.append("its journal is no chain")
    if node.journal != hub.journal:
        lost, extra = set(node.journal) - set(hub.journal), set(hub.journal) - set(node.journal)
        found.append(
            f"recorded {len(node.journal)} events, the hub has {len(hub.journal)}; lost: {_shown(lost)},"
            f" only at the hub: {_shown(extra)}"
        )
    if node.balances != hub.balances:
        found.append(f"balances differ: {node.balances.items() ^ hub.balances.items()}")
    if node.down != hub.down:
        found.append(f"heard the hub up to {node.down[:2]}, which has told it up to {hub.down[:2]}")
    if node.work != hub.work:
        found.append(f"work differs: {node.work ^ hub.work}")
    return found


def _shown(entries: set[Entry]) -> list[tuple[int, int, str]]:
    return sorted((entry.epoch, entry.seq, entry.cmd_id) for entry in entries)[:5]


def _effects(node: Books, work: Work, node_id: str) -> list[str]:
    """Each command has one movement, whatever its client had to ask."""
    moved = Counter(entry.cmd_id for entry in node.journal if entry.fact == "movement")
    found = [f"{cmd_id} has had {times} effects" for cmd_id, times in moved.items() if times != 1]
    found += [f"{cmd_id} has had no effect" for cmd_id in work.commands[node_id] if cmd_id not in moved]
    lying = {
        place: sum(n for account, n in node.balances.items() if account[:2] == (SKU, place))
        for place in _PLACES
    }
    if lying != {DOCK: len(work.commands[node_id]), SHELF: OPENING_UNITS}:
        found.append(f"{lying} lie there after {len(work.commands[node_id])} commands of one unit each")
    return found


def _set_aside(tx: Transaction, work: Work) -> list[str]:
    """What the hub has refused, parked or taken for damage; and orders that are not those of the shop."""
    orders = set(tx.connection.execute(sa.select(schema.orders.c.order_id)).scalars())
    found = [] if orders == set(work.orders.values()) else [f"orders: {orders ^ set(work.orders.values())}"]
    for table in (schema.refused_envelope, schema.parked_event, schema.conflict, schema.divergence):
        found += [f"{table.name}: {row}" for row in tx.connection.execute(sa.select(table))]
    return found


async def check_books(work: Work) -> None:
    """Return once every book agrees with every other; AssertionError with what does not."""
    fleet = work.fleet
    store = open_store(fleet.plan.database, fleet.hub_dir())
    seen: list[str] = []

    async def no_faults() -> bool:
        seen[:] = faults(store, work)
        for node_id in NODES:
            fenced = (await ask(fleet, node_id, "sync"))["fenced"]
            seen.extend([f"{node_id} is fenced: {fenced}"] if fenced else [])
        return not seen

    try:
        await until_async(no_faults, PATIENCE_S, "the books agree", look_s=LOOK_S)
    except TimeoutError as error:
        raise AssertionError("\n".join(seen)) from error
    finally:
        store.close()


async def current(fleet: Fleet) -> None:
    """Return once the hub has committed all that each node has recorded by now; work may go on."""
    heads = {node_id: of_node(fleet, node_id).journal[-1].seq for node_id in NODES}
    store = open_store(fleet.plan.database, fleet.hub_dir())

    async def reached() -> bool:
        applied = {row.node_id: row.applied_seq for row in store.read(nodes.all_of)}
        return all(applied[node_id] >= seq for node_id, seq in heads.items())

    try:
        await until_async(reached, PATIENCE_S, f"the hub has {heads}", look_s=LOOK_S)
    finally:
        store.close()

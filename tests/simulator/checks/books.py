"""The books: movements sum to zero, balances are the fold of the journal, everywhere; units with a serial are one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from bodega.v1 import journal_pb2
from simulator.world import World

Account = tuple[str, str, str, str, str, str]
PHYSICAL_ONLY = ""


def account_of(posting: object) -> Account:
    """SKU, bin, disposition, lot, owner, external account."""
    account = posting.account  # type: ignore[attr-defined]  # generated
    return (account.sku_id, account.bin, account.disposition, account.lot, account.owner, account.external)


def fold(events: Iterable[journal_pb2.NodeEvent]) -> dict[Account, int]:
    """Balances by the journal alone, written anew here so that it shares no mistake with the product."""
    balances: dict[Account, int] = defaultdict(int)
    for event in events:
        for posting in event.movement.postings:
            balances[account_of(posting)] += posting.quantity
    return {account: units for account, units in balances.items() if units}


def each_movement_sums_to_zero(world: World) -> Iterator[str]:
    """Per SKU and lot; what leaves a place arrives at another."""
    for name, seen in world.seen.items():
        for seq, event in enumerate(seen.events, start=1):
            sums: dict[tuple[str, str, str], int] = defaultdict(int)
            for posting in event.movement.postings:
                sums[posting.account.owner, posting.account.sku_id, posting.account.lot] += posting.quantity
            if any(sums.values()):
                yield f"event {seq} of {name} does not sum to zero: {dict(sums)}"


def balances_are_the_fold_of_the_journal(world: World) -> Iterator[str]:
    """At each node, and none is negative."""
    for name, node in world.nodes.items():
        if node.store is None or not node.is_ready or name in world.facts.in_doubt:
            continue
        rows = node.store.rows("SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance")
        yield from _compare(
            f"the balances of {name}", {row[:6]: row[6] for row in rows}, fold(world.seen[name].events)
        )


def the_hubs_stock_is_the_fold_of_its_copy(world: World) -> Iterator[str]:
    """For each node."""
    if not world.hub.is_ready:
        return
    sql = "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM stock WHERE node_id = ?"
    for name, seen in world.seen_at_hub.items():
        rows = world.hub.rows(sql, name)
        yield from _compare(
            f"the hub's stock of {name}", {row[:6]: row[6] for row in rows}, fold(seen.events)
        )


def a_serial_is_in_one_place(world: World) -> Iterator[str]:
    """By the journals of all nodes together: what one has received it holds, until it leaves; no other has it then."""
    if not world.all_is_seen or world.facts.uprooted:
        return
    places: dict[str, list[str]] = defaultdict(list)
    for name, seen in world.seen.items():
        held: dict[str, int] = defaultdict(int)
        for event in seen.events:
            for posting in event.movement.postings:
                for serial in posting.serials:
                    held[serial] += (
                        (posting.quantity > 0) - (posting.quantity < 0) if posting.account.bin else 0
                    )
        for serial, units in held.items():
            if units not in (0, 1):
                yield f"{name} holds serial {serial} {units} times"
            places[serial] += [name] * units
    yield from (f"serial {serial} is in {' and '.join(at)}" for serial, at in places.items() if len(at) > 1)


def transfers_are_conserved(world: World) -> Iterator[str]:
    """What left and has not arrived is on the road; no transfer brings more than it took, in the end."""
    if not world.all_is_seen or world.facts.uprooted:
        return
    for transfer, units in _on_the_road(world).items():
        if units < 0 and not world.is_under_way(transfer):
            yield f"{transfer} brought {-units} units more than it took"


def _on_the_road(world: World) -> dict[str, int]:
    road: dict[str, int] = defaultdict(int)
    for seen in world.seen.values():
        for event in seen.events:
            for posting in event.movement.postings:
                if posting.account.external.startswith("in_transit:"):
                    road[posting.account.external.removeprefix("in_transit:")] += posting.quantity
    return road


def _compare(what: str, found: dict[Account, int], should: dict[Account, int]) -> Iterator[str]:
    for account in sorted(found.keys() | should.keys()):
        if found.get(account, 0) != should.get(account, 0):
            yield f"{what}: {account} is {found.get(account, 0)}, the journal says {should.get(account, 0)}"
        if account[5] == PHYSICAL_ONLY and found.get(account, 0) < 0:
            yield f"{what}: {account} is negative"

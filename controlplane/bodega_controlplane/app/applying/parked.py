"""Events that an older version did not know are applied after an upgrade: in order, once, with a line that says so.

What a version knew and could not apply stays parked for people: it was judged by the state that it met.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bodega.host.log import get_logger
from bodega.limits import PARKED_EVENTS_PER_COMMIT_MAX
from bodega_controlplane.app.applying.replica import Replica
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.store import journal, nodes
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tried:
    """A run of parked events: how many got their effect, and the last one's sequence; None if there was none."""

    applied: int
    last_seq: int | None


async def apply_parked(hub: Hub) -> None:
    """Every parked event of every node; before new ones come in."""
    for node_id, epoch in await hub.read(journal.parked_streams):
        after: int | None = 0
        while after is not None:
            tried = await hub.run(
                partial(try_again, now_ms=hub.now_ms(), node_id=node_id, epoch=epoch, after=after)
            )
            after = tried.last_seq
            if tried.applied:
                log.info("parked_events_applied", node_id=node_id, epoch=epoch, events=tried.applied)


def try_again(tx: Transaction, now_ms: int, node_id: str, epoch: int, after: int) -> Tried:
    """The next PARKED_EVENTS_PER_COMMIT_MAX of a node's parked events after a sequence."""
    tx.lock_nodes([node_id])
    row = nodes.by_id(tx, node_id)
    events = journal.parked_following(tx, node_id, epoch, after, PARKED_EVENTS_PER_COMMIT_MAX)
    if row is None or not events:
        return Tried(0, None)
    first_seq, last_seq = events[0][0], events[-1][0]
    journal.unpark(tx, node_id, epoch, [seq for seq, _ in events])
    replica = Replica(tx, row, now_ms)
    replica.take_parked(epoch, events)
    replica.write()
    applied = len(events) - replica.parked_events
    if applied:
        tx.audit(
            at_ms=now_ms,
            actor="hub",
            action="node.parked_events_applied",
            subject=node_id,
            detail={"epoch": epoch, "first_seq": first_seq, "last_seq": last_seq, "events": applied},
        )
    return Tried(applied, last_seq)

"""What the hub tells a node: appended to its stream in the transaction that decided it, sent afterwards.

Bulk (the catalogue) does not stand in the way of what matters now (a cancel, rights, work): it waits beside the stream,
the newest of each key, and enters it in slices, only while the node has little left to apply. Work pulls the bulk that
it needs in before itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bodega.core.chain import extend
from bodega.core.sync import Envelope, Head, pack
from bodega.errors import NotFound
from bodega.limits import BULK_BACKLOG_EVENTS_MAX, DOWN_WINDOW_EVENTS_MAX, ENVELOPE_EVENTS_MAX
from bodega.v1 import journal_pb2
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import nodes, outbox, waiting
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


class Post(NamedTuple):
    """Events for a node, of which only the facts are filled in."""

    caller: Caller
    node_id: str
    events: Sequence[journal_pb2.HubEvent]
    cmd_id: str
    correlation_id: str = ""


def post(
    tx: Transaction,
    caller: Caller,
    node_id: str,
    events: Sequence[journal_pb2.HubEvent],
    *,
    cmd_id: str,
    correlation_id: str = "",
) -> str:
    """Append events to a node's stream; the last one's name for conflicts. Raises NotFound for an unknown node."""
    return post_all(tx, [Post(caller, node_id, events, cmd_id, correlation_id)])[0]


def post_all(tx: Transaction, posts: Sequence[Post]) -> list[str]:
    """`post` for several at once. SKUs that a node's events name and that still wait come right before them."""
    node_ids = {one.node_id for one in posts}
    tx.lock_nodes(node_ids)
    streams = nodes.streams_of(tx, node_ids)
    told: dict[str, list[journal_pb2.HubEvent]] = {node_id: [] for node_id in node_ids}
    ends = []
    for one in posts:
        _fill(one.events, one.caller, one.cmd_id, one.correlation_id)
        told[one.node_id] += one.events
        ends.append(len(told[one.node_id]))
    before = _needed_by(tx, told)
    _append(tx, [(_there(streams, name), [*before.get(name, ()), *told[name]]) for name in sorted(node_ids)])
    return [
        _name(streams[one.node_id], len(before.get(one.node_id, ())) + end)
        for one, end in zip(posts, ends, strict=True)
    ]


def _name(node: Row, number: int) -> str:
    """Of the event that is the so many-th after the stream's end as it was."""
    return f"hub/{node.down_epoch}/{int(node.down_seq) + number}"


def post_bulk(
    tx: Transaction,
    caller: Caller,
    node_ids: Sequence[str],
    events: Mapping[str, journal_pb2.HubEvent],
    *,
    cmd_id: str,
) -> None:
    """Events by their key, the SKU, that may wait; one that still waits is replaced by a newer one of its key.

    Where nothing waits and there is room for all of them, they enter at once. Raises NotFound for an unknown node.
    """
    tx.lock_nodes(node_ids)
    known = [_known(tx, node_ids[0])] if len(node_ids) == 1 else nodes.some(tx, node_ids)
    _fill(events.values(), caller, cmd_id, "")
    bodies = {key: event.SerializeToString() for key, event in events.items()}
    behind = set(waiting.nodes_with_some(tx, node_ids))
    at_once = [node for node in known if node.node_id not in behind and _room(node) >= len(events)]
    if events:
        _append(tx, [(node, list(events.values())) for node in at_once])
    entered = {node.node_id for node in at_once}
    others = [node for node in known if node.node_id not in entered]
    waiting.put(tx, [node.node_id for node in others], bodies)
    for node in others:
        _enter(tx, node)


def enter(tx: Transaction, node_id: str) -> int:
    """Let as much waiting bulk into a node's stream as it may hold; how much that was.

    The caller holds the node's row. Raises NotFound.
    """
    return _enter(tx, _known(tx, node_id))


def _enter(tx: Transaction, node: Row) -> int:
    bodies = waiting.take_first(tx, node.node_id, _room(node)) if _room(node) > 0 else []
    if bodies:
        _append(tx, [(node, [journal_pb2.HubEvent.FromString(body) for body in bodies])])
    return len(bodies)


def _room(node: Row) -> int:
    """How many events of bulk may enter a node's stream."""
    return BULK_BACKLOG_EVENTS_MAX - (int(node.down_seq) - int(node.down_applied_seq))


def enter_waiting(tx: Transaction, node_ids: Sequence[str]) -> None:
    """`enter` for those of the nodes that have bulk waiting; the caller holds their rows."""
    for node_id in waiting.nodes_with_some(tx, node_ids):
        enter(tx, node_id)


def _fill(events: Iterable[journal_pb2.HubEvent], caller: Caller, cmd_id: str, correlation_id: str) -> None:
    for event in events:
        event.cmd_id = cmd_id
        event.at_ms = caller.now_ms
        event.correlation_id = correlation_id


def _append(tx: Transaction, told: Sequence[tuple[Row, Sequence[journal_pb2.HubEvent]]]) -> None:
    """Each node's events after the end of its stream; no node twice."""
    heads = {}
    for node, events in told:
        for event in events:
            event.seen_seq = node.applied_seq
        bodies = [event.SerializeToString() for event in events]
        if not bodies:
            continue
        hashes = extend(node.down_hash, bodies)
        first_seq, at_ms = node.down_seq + 1, events[0].at_ms
        outbox.append(tx, node.node_id, node.down_epoch, first_seq, bodies, hashes, at_ms=at_ms)
        heads[node.node_id] = (int(node.down_seq) + len(bodies), hashes[-1])
        tx.wake(node.node_id)
    nodes.move_down_heads(tx, heads)


def _needed_by(
    tx: Transaction, told: Mapping[str, Sequence[journal_pb2.HubEvent]]
) -> dict[str, list[journal_pb2.HubEvent]]:
    """Node -> waiting SKUs that its events name, and the parts of those that are kits; they wait no more."""
    found: dict[str, list[journal_pb2.HubEvent]] = {}
    named = {
        name: {sku_id for event in events for sku_id in _skus_of(event)} for name, events in told.items()
    }
    while named := {name: sku_ids for name, sku_ids in named.items() if sku_ids}:
        taken = {
            name: [journal_pb2.HubEvent.FromString(body) for body in bodies]
            for name, bodies in waiting.take(tx, named).items()
        }
        for name, events in taken.items():
            found[name] = events + found.get(name, [])
        named = {
            name: {part.sku_id for event in events for part in event.sku.components}
            for name, events in taken.items()
        }
    return found


def _skus_of(event: journal_pb2.HubEvent) -> Iterable[str]:
    match event.WhichOneof("fact"):
        case "fulfillment_order":
            return [line.sku_id for line in event.fulfillment_order.lines]
        case "rights_granted":
            return [event.rights_granted.sku_id]
        case "advance_notice":
            return [line.sku_id for line in event.advance_notice.lines]
        case "transfer_ordered":
            return [line.sku_id for line in event.transfer_ordered.lines]
        case "return_expected":
            return [line.sku_id for line in event.return_expected.lines]
        case "rights_wanted":
            return [event.rights_wanted.sku_id]
    return []


def heads(tx: Transaction) -> dict[str, Head]:
    """Where each node's stream ends."""
    return {row.node_id: Head(row.down_epoch, row.down_seq, row.down_hash) for row in nodes.all_of(tx)}


def applied_by(tx: Transaction, node_id: str) -> Head:
    """How far a node says it has applied its stream. Raises NotFound."""
    node = _known(tx, node_id)
    seq = int(node.down_applied_seq)
    before = outbox.hash_at(tx, node_id, node.down_epoch, seq)
    assert before is not None, "a heartbeat beyond the end of our stream is not taken"
    return Head(node.down_epoch, seq, before)


def hash_at(tx: Transaction, node_id: str, epoch: int, seq: int) -> bytes | None:
    """The chain hash of a node's stream after `seq`; None if it is not that long."""
    return outbox.hash_at(tx, node_id, epoch, seq)


def envelope_from(tx: Transaction, node_id: str, epoch: int, from_seq: int) -> Envelope | None:
    """The largest envelope of a node's stream that begins at `from_seq`; None if there is nothing."""
    first_seq = max(1, from_seq)
    events = outbox.from_seq(tx, node_id, epoch, first_seq, ENVELOPE_EVENTS_MAX)
    before = outbox.hash_at(tx, node_id, epoch, first_seq - 1)
    if not events or before is None:
        return None
    return pack(node_id, Head(epoch, first_seq - 1, before), events)


class Next(NamedTuple):
    """What a node's stream has after what was sent; nothing in `envelope` if the node must apply some of it first.

    `epoch`: the stream's; `understood`: packings that the node unpacks; `more`: whether there is still more after it.
    """

    epoch: int
    understood: frozenset[int]
    envelope: Envelope | None = None
    more: bool = False


def next_after(tx: Transaction, node_id: str, sent: Head | None) -> Next:
    """What to send next to a node that was sent everything up to `sent`; of another epoch, or None, nothing is next.

    Never more than DOWN_WINDOW_EVENTS_MAX that the node has still to apply. Raises NotFound.
    """
    node = _known(tx, node_id)
    now = Next(int(node.down_epoch), frozenset(json.loads(node.understands)))
    if sent is None or sent.epoch != now.epoch or sent.seq == node.down_seq:
        return now
    if sent.seq - int(node.down_applied_seq) >= DOWN_WINDOW_EVENTS_MAX:
        return now
    events = outbox.from_seq(tx, node_id, sent.epoch, sent.seq + 1, ENVELOPE_EVENTS_MAX)
    if not events:
        return now
    envelope = pack(node_id, sent, events)
    return now._replace(envelope=envelope, more=envelope.last_seq < int(node.down_seq))


def _known(tx: Transaction, node_id: str) -> Row:
    return _there(nodes.streams_of(tx, [node_id]), node_id)


def _there(streams: Mapping[str, Row], node_id: str) -> Row:
    if node_id not in streams:
        raise NotFound(f"there is no node '{node_id}'", hint="register it first: bodegactl nodes register")
    return streams[node_id]

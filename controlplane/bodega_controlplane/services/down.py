"""The hub's streams to the nodes: from `down_log` to the broker, as soon as they are committed.

The pump keeps no cursor of its own on disk. Where a node's stream stands is what the broker's last message of
it says, held against our chain; if the broker has lost it, the pump begins after what the node has applied.
Publishing compares and sets the last sequence of the subject, so two instances of the hub cannot mix theirs. Events
are packed as far as the node has said that it unpacks them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from bodega.codec import envelope_from_bytes, envelope_to_bytes
from bodega.core.sync import Envelope, Head
from bodega.errors import PeerFault
from bodega.host.log import get_logger
from bodega.limits import DOWN_NODES_AT_ONCE_MAX, DOWN_SWEEP_S, RECONNECT_BASE_S
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.services.ports import FleetConnection, PublishConflict, StreamMissing
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Cursor:
    """How far a node's stream is with the broker, and the broker's own number of its last message."""

    head: Head
    stream_seq: int


class DownPump:
    """Sends what the outboxes hold; `wake` says that there is more."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._woken: set[str] = set()
        self._wake = asyncio.Event()
        self._cursors: dict[str, _Cursor] = {}
        self._consumers: set[str] = set()
        self._lost = False

    def wake(self, node_ids: Iterable[str]) -> None:
        """There is something to send to these nodes."""
        self._woken.update(node_ids)
        self._wake.set()

    @property
    def consumers_made(self) -> int:
        """How many nodes must have a consumer by now."""
        return len(self._consumers)

    def start_over(self) -> None:
        """The broker may have lost what was sent, or who receives it: look anew at every node's stream."""
        self._lost = True
        self._wake.set()

    async def run(self, connection: FleetConnection) -> None:
        """Until the connection is lost: raises LinkLost. A stream that is gone is made again."""
        # A new connection may lead to another broker, or to the same one with less in it.
        self._lost = True
        clock = asyncio.get_running_loop().time
        sweep_at = clock()
        while True:
            if self._lost:
                self._lost = False
                self._cursors.clear()
                self._consumers.clear()
                sweep_at = clock()
            if clock() >= sweep_at:
                # Finds what another instance of the hub has committed, and what a broken send has left.
                self._woken.update(await self._hub.read(self._behind))
                sweep_at = clock() + DOWN_SWEEP_S
            await self._send_to_woken(connection)
            await self._wait(sweep_at - clock())

    def _behind(self, tx: Transaction) -> set[str]:
        """Nodes whose stream is longer than what was sent, and new ones."""
        return {
            node_id
            for node_id, head in outbox.heads(tx).items()
            if node_id not in self._cursors or self._cursors[node_id].head[:2] < head[:2]
        }

    async def _wait(self, seconds: float) -> None:
        """Until somebody is woken, or for so long."""
        try:
            async with asyncio.timeout(max(0, seconds)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send_to_woken(self, connection: FleetConnection) -> None:
        self._wake.clear()
        woken, self._woken = self._woken, set()
        room = asyncio.Semaphore(DOWN_NODES_AT_ONCE_MAX)
        missing: list[str] = []

        async def send(node_id: str) -> None:
            async with room:
                try:
                    await self._send(connection, node_id)
                except StreamMissing as error:
                    missing.append(error.message)

        async with asyncio.TaskGroup() as sending:
            for node_id in woken:
                sending.create_task(send(node_id))
        if missing:
            log.warning("down_stream_missing", reason=missing[0], nodes=len(missing))
            await asyncio.sleep(RECONNECT_BASE_S)
            await connection.make_streams()
            self.start_over()

    async def _send(self, connection: FleetConnection, node_id: str) -> None:
        if node_id not in self._consumers:
            await connection.make_node_consumer(node_id)
            self._consumers.add(node_id)
        cursor = self._cursors.get(node_id)
        more = True
        while more:
            following = await self._hub.read(_following(node_id, cursor))
            more = following.more
            if cursor is None or cursor.head.epoch != following.epoch:
                cursor, more = await self._find(connection, node_id), True
            elif following.envelope is not None:
                try:
                    cursor = await _publish(connection, following.envelope, following.understood, cursor)
                except PublishConflict:
                    # Another instance was faster, or the broker has dropped old messages: look again.
                    cursor, more = await self._find(connection, node_id), True
            self._cursors[node_id] = cursor

    async def _find(self, connection: FleetConnection, node_id: str) -> _Cursor:
        applied = await self._hub.read(lambda tx: outbox.applied_by(tx, node_id))
        last = await connection.last_down(node_id, applied.epoch)
        if last is None:
            return _Cursor(applied, 0)
        sent = _last_of(last.body)
        if sent is not None and await self._hub.read(_is_ours(node_id, sent)):
            return _Cursor(sent, last.stream_seq)
        log.error(
            "down_stream_differs", node_id=node_id, stream_seq=last.stream_seq, from_seq=applied.seq + 1
        )
        return _Cursor(applied, last.stream_seq)


def _following(node_id: str, cursor: _Cursor | None) -> Callable[[Transaction], outbox.Next]:
    return lambda tx: outbox.next_after(tx, node_id, cursor.head if cursor else None)


def _is_ours(node_id: str, head: Head) -> Callable[[Transaction], bool]:
    return lambda tx: outbox.hash_at(tx, node_id, head.epoch, head.seq) == head.hash


async def _publish(
    connection: FleetConnection, envelope: Envelope, understood: Collection[int], cursor: _Cursor
) -> _Cursor:
    body = envelope_to_bytes(envelope, understood)
    stream_seq = await connection.publish_down(envelope.node_id, envelope.epoch, body, cursor.stream_seq)
    return _Cursor(Head(envelope.epoch, envelope.last_seq, envelope.last_hash), stream_seq)


def _last_of(body: bytes) -> Head | None:
    try:
        envelope = envelope_from_bytes(body)
    except PeerFault:
        return None
    return Head(envelope.epoch, envelope.last_seq, envelope.last_hash)

"""One node's events -> rows: the journal as it came, and its effects, written in a few statements.

Every event goes into the journal as it came. One that this version cannot apply (a newer fact, a movement
that does not add up, work of another node) is parked beside it with the reason: it has no effect yet, and
the events after it go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bodega.core.ledger import Account
from bodega.core.sync import Envelope, Head
from bodega.host.log import get_logger
from bodega.skimming import PlainMove
from bodega_controlplane.app.applying.arrived import PICK, Arrived, Picked, decode, skimmed
from bodega_controlplane.app.applying.effects import Effects
from bodega_controlplane.store import journal, nodes
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


class Replica:
    """What the hub holds of one node, and what a batch of events makes of it."""

    def __init__(self, tx: Transaction, node: Row, now_ms: int) -> None:
        self.node_id: str = node.node_id
        self.head = Head(node.epoch, node.applied_seq, node.applied_hash)
        self._tx = tx
        self._now_ms = now_ms
        self._head_seq: int = node.head_seq
        self._effects = Effects(tx, node, now_ms)
        self._arrived: list[Arrived | PlainMove | Picked] = []
        self._journal: list[tuple[Any, ...]] = []
        self._accounts: dict[bytes, Account] = {}
        self._parked: list[dict[str, Any]] = []

    def has(self, envelope: Envelope) -> bool:
        """Whether the journal holds the envelope's last event, and so, by the chain, all of them."""
        held = journal.hash_at(self._tx, self.node_id, envelope.epoch, envelope.last_seq)
        return held is not None and held == envelope.last_hash

    def take(
        self, first_seq: int, events: Sequence[bytes], hashes: Sequence[bytes], *, problem: str = ""
    ) -> None:
        """Take judged events; nothing is written before `write`. With a `problem` they are parked, without effect."""
        epoch, node_id, now_ms = self.head.epoch, self.node_id, self._now_ms
        for seq, body, digest in zip(range(first_seq, first_seq + len(events)), events, hashes, strict=True):
            arrived: Arrived | PlainMove = skimmed(body, self._accounts) or decode(seq, body)
            if isinstance(arrived, PlainMove):
                cmd_id, fact, at_ms = arrived.cmd_id, "movement", arrived.at_ms
            else:
                cmd_id, fact, at_ms = arrived.message.cmd_id, arrived.fact, arrived.message.at_ms
            if problem:
                self._park(seq, problem)
            else:
                self._arrived.append(
                    Picked(seq, arrived)
                    if isinstance(arrived, PlainMove) and arrived.command == PICK
                    else arrived
                )
            self._journal.append((node_id, epoch, seq, cmd_id, fact, at_ms, now_ms, body, digest))
        self.head = Head(epoch, first_seq + len(events) - 1, hashes[-1])

    def take_parked(self, epoch: int, events: Sequence[tuple[int, bytes]]) -> None:
        """Take events (sequence, bytes) that are in the journal and have had no effect yet; the head stays."""
        self.head = self.head._replace(epoch=epoch)
        self._arrived = [decode(seq, body) for seq, body in events]

    @property
    def parked_events(self) -> int:
        """How many events of this batch had no effect, after `write`."""
        return len(self._parked)

    def write(self) -> None:
        """Write the journal, the effects and the new head."""
        if not (self._arrived or self._journal):
            return
        journal.append(self._tx, self._journal)
        effects = self._effects
        effects.epoch = self.head.epoch
        effects.load(self._arrived)
        for arrived in self._arrived:
            if isinstance(arrived, PlainMove):
                effects.move(arrived)
            elif isinstance(arrived, Picked):
                effects.pick(arrived)
            elif problem := effects.apply(arrived):
                self._park(arrived.seq, problem)
                log.warning(
                    "event_parked",
                    node_id=self.node_id,
                    seq=arrived.seq,
                    fact=arrived.fact,
                    reason=problem,
                )
        changed = effects.write()
        journal.park(self._tx, self._parked)
        nodes.change(
            self._tx,
            self.node_id,
            applied_seq=self.head.seq,
            applied_hash=self.head.hash,
            head_seq=max(self.head.seq, self._head_seq),
            **changed,
        )

    def _park(self, seq: int, reason: str) -> None:
        at = {"node_id": self.node_id, "epoch": self.head.epoch, "seq": seq}
        self._parked.append({**at, "reason": reason})

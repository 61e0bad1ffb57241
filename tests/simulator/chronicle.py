"""What was seen from outside, kept while machines die: every event that a node's journal or the hub's copy ever showed.

A committed event that a reader could see is on the disk, so it must be there for ever, at its place, with its hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bodega.codec import envelope_from_bytes
from bodega.core.chain import GENESIS, extend, link
from bodega.errors import PeerFault
from bodega.v1 import journal_pb2
from simulator.broker import SimBroker


@dataclass
class Seen:
    """One stream of events as it was seen to grow: `hashes[0]` is the one before the first event.

    `basis`: what is up to there is another's, whose stream it follows in a new epoch.
    """

    name: str
    hashes: list[bytes] = field(default_factory=lambda: [GENESIS])
    events: list[journal_pb2.NodeEvent] = field(default_factory=list)
    fault: str = ""
    epoch: int = 1
    basis: int = 0

    def up_to(self, seq: int, name: str, epoch: int) -> Seen:
        """The beginning of another stream, which goes on from here by itself."""
        return Seen(name, self.hashes[: seq + 1], self.events[:seq], epoch=epoch, basis=seq)

    @property
    def seq(self) -> int:
        """How far it was seen."""
        return len(self.events)

    def grow(self, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Rows (seq, body, hash) from `seq` on, the last one that was seen included; what contradicts is a fault."""
        for number, (seq, body, chain_hash) in enumerate(rows):
            if seq <= self.seq:
                if chain_hash != self.hashes[seq]:
                    self.fault = f"{self.name} shows another event {seq} than before"
                continue
            if seq != self.seq + 1:
                self.fault = f"{self.name} goes on with {seq} after {self.seq}"
                return
            if number == 0 and self.seq > self.basis:
                self.fault = f"{self.name} has lost event {self.seq}, which it had committed"
                return
            if chain_hash != link(self.hashes[-1], body):
                self.fault = f"{self.name} breaks the chain at {seq}"
                return
            self.hashes.append(chain_hash)
            self.events.append(journal_pb2.NodeEvent.FromString(body) if body != b"forged" else _FORGED)
        if self.seq > self.basis and not rows:
            self.fault = f"{self.name} has lost event {self.seq}, which it had committed"


_FORGED = journal_pb2.NodeEvent(cmd_id="forged")


@dataclass
class Written:
    """What the broker accepted on the streams of the nodes: (node, epoch, seq) -> chain hash, the first that came."""

    hashes: dict[tuple[str, int, int], bytes] = field(default_factory=dict)
    looked_at: int = 0
    faults: dict[str, str] = field(default_factory=dict)

    def look(self, broker: SimBroker, nodes: Iterable[str]) -> None:
        """Read what was accepted since the last look."""
        known = set(nodes)
        for message in broker.taken[self.looked_at :]:
            stream, node_id, _epoch = message.subject.split(".")
            if stream == "up" and node_id in known:
                self._read(node_id, message.body)
        self.looked_at = len(broker.taken)

    def _read(self, node_id: str, body: bytes) -> None:
        try:
            envelope = envelope_from_bytes(body)
        except PeerFault as fault:
            self.faults[node_id] = f"{node_id} published what is no envelope: {fault.message}"
            return
        for seq, chain_hash in enumerate(extend(envelope.prev_hash, envelope.events), envelope.first_seq):
            if self.hashes.setdefault((node_id, envelope.epoch, seq), chain_hash) != chain_hash:
                self.faults[node_id] = f"two writers in epoch {envelope.epoch}: event {seq} is there twice"

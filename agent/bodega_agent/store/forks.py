"""What a node wrote beside the hub's line, kept as files among the archives and under their disk budget.

`fork-*.gz`: the events alone, in the archives' format, made when the node is fenced. `fork-*.db`: a whole ledger
that a new epoch has replaced; `bodega ledger` reads it like any other.
"""

from __future__ import annotations

import gzip
import os
from io import BytesIO
from pathlib import Path
from typing import Any

from google.protobuf.proto import serialize_length_prefixed

from bodega.codec import envelope_to_wire
from bodega.core.sync import Head, pack
from bodega.limits import ENVELOPE_EVENTS_MAX
from bodega_agent.store.files import put_in_place, sync
from bodega_agent.store.reader import Reader

PREFIX = "fork-"
Json = dict[str, Any]


def export_tail(reader: Reader, folder: Path, *, node_id: str, after: Head) -> Path | None:
    """Write the events after a head to a file of the chain's own envelopes; None if there are none.

    The same events make the same file: one that is there already is left.
    """
    head = reader.head()
    if head.seq <= after.seq:
        return None
    path = folder / f"{PREFIX}{head.epoch}-{after.seq + 1:012}-{head.seq:012}-{head.hash.hex()[:16]}.gz"
    if path.exists():
        return path
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)
    written = path.with_suffix(".part")
    before = Head(head.epoch, after.seq, reader.hash_at(after.seq) or after.hash)
    raw = os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    with raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        while before.seq < head.seq:
            events = reader.events(before.seq, min(ENVELOPE_EVENTS_MAX, head.seq - before.seq))
            envelope = pack(node_id, before, events)
            message = BytesIO()
            serialize_length_prefixed(envelope_to_wire(envelope), message)
            file.write(message.getvalue())
            before = Head(head.epoch, envelope.last_seq, envelope.last_hash)
    put_in_place(written, path)
    return path


def listed(folder: Path) -> list[Json]:
    """Every file of a fork, the newest last: {file, kind, size_bytes, written_at_ms}; kind is "events" or "ledger"."""
    found = [(path, path.stat()) for path in folder.glob(f"{PREFIX}*") if path.suffix in (".gz", ".db")]
    return [
        {
            "file": str(path),
            "kind": "events" if path.suffix == ".gz" else "ledger",
            "size_bytes": stat.st_size,
            "written_at_ms": stat.st_mtime_ns // 1_000_000,
        }
        for path, stat in sorted(found, key=lambda one: (one[1].st_mtime_ns, one[0].name))
    ]

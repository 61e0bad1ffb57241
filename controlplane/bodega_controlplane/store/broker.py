"""What the broker said of its streams."""

from __future__ import annotations

import sqlalchemy as sa

from bodega.core.incarnation import StreamState
from bodega_controlplane.store.schema import broker_stream
from bodega_controlplane.store.transaction import Transaction


def known(tx: Transaction, name: str) -> tuple[StreamState | None, int]:
    """What was said last, None if never, and the incarnation, 0 then."""
    row = tx.connection.execute(sa.select(broker_stream).where(broker_stream.c.name == name)).first()
    if row is None:
        return None, 0
    return StreamState(row.created, row.first_seq, row.last_seq), int(row.incarnation)


def keep(tx: Transaction, name: str, state: StreamState, incarnation: int) -> None:
    """Remember what was said."""
    row = {
        "name": name,
        "created": state.created,
        "first_seq": state.first_seq,
        "last_seq": state.last_seq,
        "incarnation": incarnation,
    }
    tx.upsert(broker_stream, [row])

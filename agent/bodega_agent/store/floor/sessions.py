"""Where each scanner is in its flow."""

from __future__ import annotations

import json

from bodega_agent.rules.floor import keeping
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.store.transaction import Transaction


def load(tx: Transaction, device: str) -> Session:
    """The device's session, idle if it has none yet."""
    row = tx.one("SELECT body FROM floor_session WHERE device = ?", (device,))
    return keeping.from_json(json.loads(row[0])) if row else Session(device)


def at_step(tx: Transaction, step: FloorStep) -> list[Session]:
    """Every device's session that is at this step."""
    rows = tx.execute("SELECT body FROM floor_session WHERE body ->> 'step' = ? ORDER BY device", (step,))
    return [keeping.from_json(json.loads(body)) for (body,) in list(rows)]


def save(tx: Transaction, session: Session) -> None:
    """Keep the session for after a crash."""
    tx.execute(
        "INSERT INTO floor_session(device, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        (session.device, json.dumps(keeping.to_json(session), sort_keys=True)),
    )

"""The number of the last scan that each device had taken, and its answer, kept in the scan's own transaction."""

from __future__ import annotations

from typing import NamedTuple

from bodega.core.conflicts.duplicate_scan import ScanNumber
from bodega_agent.rules.floor.prompt import Prompt
from bodega_agent.store.transaction import Transaction


class Answered(NamedTuple):
    """The last scan of a device, and the tone and text that answered it."""

    number: ScanNumber
    tone: str
    text: str


def last_of(tx: Transaction, device: str) -> Answered | None:
    """The last scan that this device had taken, or None."""
    row = tx.one("SELECT counter_name, number, tone, text FROM device_counter WHERE device = ?", (device,))
    return Answered(ScanNumber(row[0], row[1]), row[2], row[3]) if row else None


def keep(tx: Transaction, device: str, number: ScanNumber, answer: Prompt) -> None:
    """This scan is taken."""
    tx.execute(
        "INSERT INTO device_counter(device, counter_name, number, tone, text) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET counter_name = excluded.counter_name, number = excluded.number,"
        " tone = excluded.tone, text = excluded.text",
        (device, *number, answer.tone.value, answer.text),
    )


def note_repeat(tx: Transaction, device: str) -> None:
    """One more scan that was sent again."""
    tx.execute("UPDATE device_counter SET repeats = repeats + 1 WHERE device = ?", (device,))

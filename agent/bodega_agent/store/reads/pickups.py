"""What waits for customers, how long still, and what became of it."""

from __future__ import annotations

from typing import Any

from bodega.core.deadline import BootTime, Deadline, begun_anew
from bodega_agent.store.reader import Reader

Json = dict[str, Any]


def pickups(reader: Reader, now: BootTime) -> list[Json]:
    """Every order that a customer fetches, the one that is due first in front, what is over last.

    `outcome` is "waiting" for a parcel that may be fetched, "to_stage" for one that is labelled, "to_come" before
    that; else how it ended. `put_back`: units of it that still wait to be put back. `left_ms` is None where none runs.
    """
    rows = reader.rows(
        "SELECT f.fulfillment_order_id, f.order_id, f.method, f.state, f.sscc, coalesce(p.bin, '') AS place,"
        " p.staged_at_ms, coalesce(p.wrong_codes, 0) AS wrong_codes, coalesce(p.outcome, '') AS outcome,"
        " p.boot_id, p.expires_at_ms, p.expires_after_ms,"
        " (SELECT coalesce(sum(quantity), 0) FROM balance WHERE bin = 'STAGE-' || f.fulfillment_order_id) AS staged"
        " FROM fulfillment_order f LEFT JOIN pickup p USING (fulfillment_order_id)"
        " WHERE f.method IN ('pickup', 'locker') ORDER BY f.arrived_seq"
    )
    return sorted((_told(row, now) for row in rows), key=_urgent_first)


def _told(row: Json, now: BootTime) -> Json:
    ends = Deadline(row.pop("boot_id"), row.pop("expires_at_ms"), row.pop("expires_after_ms"))
    staged = row.pop("staged")
    row["outcome"] = _WORDS.get(row["state"]) or row["outcome"] or row["state"]
    is_over = row["outcome"] not in _WORDS.values()
    row["put_back"] = staged if is_over else 0
    row["left_ms"] = None
    if row["outcome"] == "waiting" and ends.after_ms:
        row["left_ms"] = max(0, begun_anew(ends, now).at_ms - now.ms)
    return row


_WORDS = {
    "assigned": "to_come",
    "picking": "to_come",
    "picked": "to_come",
    "packed": "to_come",
    "labelled": "to_stage",
    "staged": "waiting",
}


def _urgent_first(row: Json) -> tuple[bool, bool, int]:
    never = row["left_ms"] is None
    return row["outcome"] not in _WORDS.values(), never, 0 if never else row["left_ms"]

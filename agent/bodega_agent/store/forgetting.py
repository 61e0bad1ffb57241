"""Whom orders went to, forgotten when the hub says so: they have ended, and nobody needs to know any more."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bodega.core.lifecycles import FULFILLMENT
from bodega_agent.store import decisions, labels, papers
from bodega_agent.store.labels import Paper
from bodega_agent.store.transaction import Transaction

# Every parcel that was ever closed for work, voided ones too; each has printed its own papers. All of it at once,
# because parcels are not indexed by their work.
_PARCELS = """
SELECT sscc, fulfillment_order_id FROM parcel WHERE fulfillment_order_id IN (SELECT value FROM json_each(?1))
UNION SELECT sscc, fulfillment_order_id FROM fulfillment_order
  WHERE sscc <> '' AND fulfillment_order_id IN (SELECT value FROM json_each(?1))
"""


def forget_recipients(tx: Transaction, order_ids: Iterable[str]) -> None:
    """Blank names, addresses and codes of pickups, and make what was printed anew without them.

    Work that has not ended here keeps its address: a parcel without one would go nowhere. Doing it again changes
    nothing.
    """
    rows = tx.execute(
        "SELECT fulfillment_order_id, state FROM fulfillment_order"
        " WHERE order_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(order_ids)),),
    )
    ended = [work_id for work_id, state in rows if state in FULFILLMENT.terminal]
    tx.executemany(
        "UPDATE fulfillment_order SET recipient = x'', pickup = x'' WHERE fulfillment_order_id = ?",
        [(work_id,) for work_id in ended],
    )
    decisions.forget(tx, ended)
    for sscc, work_id in list(tx.execute(_PARCELS, (json.dumps(ended),))):
        _print_without(tx, work_id, sscc)


def _print_without(tx: Transaction, fulfillment_order_id: str, sscc: str) -> None:
    """A label stays what a person may print again, and our own stands where the carrier's stood."""
    jobs = tx.execute("SELECT print_job_id FROM print_job WHERE sscc = ?", (sscc,))
    for (print_job_id,) in list(jobs):
        make = papers.slip_of if labels.paper_of(print_job_id) is Paper.SLIP else papers.label_of
        tx.execute(
            "UPDATE print_job SET document = ? WHERE print_job_id = ?",
            (make(tx, fulfillment_order_id, sscc), print_job_id),
        )

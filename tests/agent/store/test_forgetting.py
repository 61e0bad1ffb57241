"""The hub says that recipients are to be forgotten: the node's order, its label and its slip say them no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.v1 import journal_pb2
from bodega_adapters.labels.document import LabelDocument
from bodega_agent.store import labels
from bodega_agent.store.labels import Paper
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction
from support.node_under_test import HubPen, opened_store
from support.worked_order import CONTEXT, FO, bring_to, node_with_work

WORDS = (b"Ana Ribeiro", b"Rua do Ouro")


async def forget(hub: HubPen, *order_ids: str) -> None:
    await hub.write(recipients_erased=journal_pb2.RecipientsErased(order_ids=order_ids))


async def holds(store: Store) -> set[bytes]:
    """Which of the words are anywhere in the tables of orders and papers."""

    def look(tx: Transaction) -> set[bytes]:
        rows = [
            *tx.execute("SELECT recipient FROM fulfillment_order"),
            *tx.execute("SELECT document FROM print_job"),
        ]
        return {word for (body,) in rows for word in WORDS if word in bytes(body)}

    return await store.write(look)


async def test_after_the_end_names_and_addresses_are_gone_and_labels_can_still_be_printed(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "packed"))
        sscc = (await store.write(labels.next_queued)).sscc
        await store.write(lambda tx: labels.queue_slip(tx, CONTEXT, FO, sscc))
        assert await holds(store)
        await store.write(lambda tx: bring_to_end(tx, sscc))
        await forget(hub, "ORD-1")
        assert await holds(store) == set()
        for paper in (Paper.LABEL, Paper.SLIP):
            job = await store.write(lambda tx, paper=paper: labels.latest_for(tx, sscc, paper))
            assert LabelDocument.from_bytes(job.document).line("order_id") == "ORD-1"
        await forget(hub, "ORD-1", "ORD-9")
        assert await holds(store) == set()


def bring_to_end(tx: Transaction, sscc: str) -> None:
    """The rest of the way of a packed order."""
    tx.execute("UPDATE fulfillment_order SET state = 'shipped' WHERE fulfillment_order_id = ?", (FO,))


@pytest.mark.parametrize("stage", ["assigned", "picked", "labelled"])
async def test_work_under_way_keeps_its_address(tmp_path: Path, stage: str) -> None:
    """A node that was put back from a backup may be behind what the hub knows: it can still ship."""
    with opened_store(tmp_path) as store:
        hub = await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, stage))
        before = await holds(store)
        assert before
        await forget(hub, "ORD-1")
        assert await holds(store) == before

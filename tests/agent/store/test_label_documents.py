"""A print job holds the label itself; one that an older Bodega has queued is printed as it was made."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from bodega_adapters.labels.document import LabelDocument
from bodega_adapters.labels.making import render
from bodega_adapters.ports import PrinterAbilities
from bodega_agent.store import labels
from bodega_agent.store.schema import MIGRATIONS
from support.node_under_test import opened_store
from support.worked_order import bring_to, node_with_work

ZEBRA = PrinterAbilities("zpl", 8, 101, says_status=True, confirms=True)
OLD_LABEL = b"^XA^FDold^FS^XZ\n"


async def test_a_packed_parcel_queues_what_stands_on_its_label_and_no_printers_bytes(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "packed"))
        job = await store.write(labels.next_queued)
        assert job is not None
        document = LabelDocument.from_bytes(job.document)
        assert (document.kind, document.line("sscc")) == ("parcel", job.sscc)
        assert f">;>800{job.sscc}".encode() in render(document, ZEBRA)


async def test_a_label_in_the_queue_of_an_older_ledger_still_prints(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with closing(apsw.Connection(str(folder / "ledger.db"))) as old:
        for step in MIGRATIONS[:3]:
            old.execute(step)
        old.execute("PRAGMA user_version = 3")
        old.execute("INSERT INTO print_job VALUES ('1-1', '1', 'fo', 'queued', 1, '', ?, 1, 0)", (OLD_LABEL,))
    with opened_store(folder) as store:
        job = await store.write(labels.next_queued)
        assert job is not None
        assert render(LabelDocument.from_bytes(job.document), ZEBRA) == OLD_LABEL

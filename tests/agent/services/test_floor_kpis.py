"""The figures of a small day that was really worked: the journal says all of them."""

from __future__ import annotations

from pathlib import Path

from bodega.v1 import floor_pb2, journal_pb2
from bodega_agent.rules.kpis import Picking
from bodega_agent.services.figures import floor_findings
from bodega_agent.store.reads.kpis import figures_since, first_since, queues
from bodega_agent.store.transaction import Context, Transaction
from support.associates import ANA_BADGE, PEOPLE
from support.floor_rig import FloorRig, floor_rig
from support.node_under_test import BINS


async def worked(rig: FloorRig) -> None:
    """Ana picks one order; what packing, the printer and a count say of the day is written by hand."""
    await rig.hub.profile(associates=PEOPLE)
    await rig.hub.sku(1)
    await rig.stock("SKU-1", BINS[0], 9)
    await rig.hub.fulfillment_order(1, ("SKU-1", 2))
    await rig.play(ANA_BADGE, "CMD-PICK", BINS[0])
    await rig.hub.fulfillment_order(2, ("SKU-1", 1))
    for _ in range(2):
        await rig.item(1)
    counted = floor_pb2.CountAdvanced(count_id="C-1", bin_id=BINS[0], state="posted")
    counted.lines.add(sku_id="SKU-1", counted=7, book=7)
    doubted = floor_pb2.CountAdvanced(count_id="C-2", bin_id=BINS[1], state="waits_for_recount")
    doubted.lines.add(sku_id="SKU-1", counted=7, book=9)
    noted = floor_pb2.ExceptionNoted(kind="short_pack", reason="missing", quantity=1)

    def job(tx: Transaction) -> None:
        for count in (counted, doubted):
            tx.append(Context("count", "rui"), count_advanced=count)
        tx.append(Context("pack", "rui"), exception_noted=noted)
        for copy, event in ((1, "queued"), (1, "send"), (2, "queued")):
            label = journal_pb2.LabelAdvanced(event=event, copy=copy, detail="torn" if copy > 1 else "")
            tx.append(Context("print", "system"), label_advanced=label)

    await rig.store.write(job)


async def test_a_small_day_in_figures(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await worked(rig)
        figures = (await rig.store.read(lambda reader: figures_since(reader, 0))).figures
        # The rig's clock ticks a millisecond a scan: the order, its bin, one item, the other.
        assert figures.picking == {"ana": Picking(units=2, scans=2, worked_ms=3)}
        assert (figures.mispicked, figures.pick_accuracy) == (1, 0.5)
        assert {name: lead.orders for name, lead in figures.leads.items()} == {"pick": 1}
        assert (figures.labels, figures.reprints) == (1, {"torn": 1})
        assert (figures.places_counted, figures.count_accuracy) == (1, 1.0)
        assert dict(figures.exception_counts) == {("short_pack", "missing"): 1}
        waiting = await rig.store.read(queues)
        assert {name: many for name, many in waiting.items() if many} == {
            "orders to pick": 1,
            "orders to pack": 1,
        }


async def test_only_the_time_that_was_asked_for_counts(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await worked(rig)
        times = await rig.store.write(
            lambda tx: [row[0] for row in tx.execute("SELECT at_ms FROM journal ORDER BY seq")]
        )
        for since in range(times[0] - 1, times[-1] + 2):
            first = await rig.store.read(lambda reader, since=since: first_since(reader, since))
            assert first == 1 + sum(at < since for at in times)
        told = await rig.store.read(lambda reader: figures_since(reader, times[-1] + 1))
        assert (told.first_seq, told.figures.all_picking.units) == (0, 0)
        told = await rig.store.read(lambda reader: figures_since(reader, 0, events_max=3))
        assert told.last_seq - told.first_seq == 2


async def test_what_goes_up_to_the_hub_names_nobody(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await worked(rig)
        found = await floor_findings(rig.store, lambda: 1_800_000_000_100)
        assert {finding.kind for finding in found} == {"kpi", "queue", "exception"}
        assert "ana" not in str(found)

"""Labels that need a person, on the command line: a doubt is said with what to do next, and a decision counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bodega.core.lifecycles import PrintEvent
from bodega_agent.store import labels, work
from bodega_agent.store.transaction import Transaction
from support.bodega_command import answer, bodega, running_agent, write_config
from support.node_under_test import opened_store
from support.worked_order import CONTEXT, GOODS, bring_to, node_with_work

# Nobody listens there: no label is ever printed.
PRINTER = """
[[printers]]
name = "zebra"
driver = "zpl-tcp"
options = { host = "127.0.0.1", port = 1 }
"""


async def _two_parcels(folder: Path) -> None:
    """The power failed while the label of FO-1 was being sent; that of FO-2 can not be printed by anybody."""
    with opened_store(folder) as store:
        hub = await node_with_work(store)
        await hub.fulfillment_order(2, ("SKU-1", 2))

        def pack(tx: Transaction) -> None:
            for order in ("FO-1", "FO-2"):
                bring_to(tx, "packed", fo=order, goods=GOODS)
            job = labels.latest_for(tx, work.find(tx, "FO-1").sscc)
            assert job is not None
            labels.advance(tx, CONTEXT, job, PrintEvent.SEND)
            broken = (b"{}", work.find(tx, "FO-2").sscc)
            tx.execute("UPDATE print_job SET document = ? WHERE sscc = ?", broken)

        await store.write(pack)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("doubt")
    asyncio.run(_two_parcels(folder))
    config = write_config(folder, extra=PRINTER)
    with running_agent(config):
        yield config


def label_of(node: Path, order: str, state: str) -> dict[str, Any]:
    """The newest job of an order, once it is in this state."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job = [one for one in answer(node, "labels", "ls") if one["fulfillment_order_id"] == order][-1]
        if job["state"] == state:
            return job
    raise AssertionError(f"the label of {order} never was {state}: {job}")


def test_a_label_in_doubt_is_said_with_what_to_do_next_and_confirmed_by_who_has_seen_it(node: Path) -> None:
    job = label_of(node, "FO-1", "unknown")
    sscc = job["sscc"]
    assert f"bodega labels confirm {sscc} --seen" in job["next"]
    assert f"bodega labels reprint {sscc}" in bodega(node, "labels", "ls", "--unknown").stdout
    problems = {one["code"]: one["text"] for one in answer(node, "status")["health"]}
    assert "bodega labels ls --unknown" in problems["labels-unknown"]

    unsure = bodega(node, "labels", "confirm", sscc)
    assert unsure.returncode != 0
    assert "--seen" in unsure.stderr
    done = [answer(node, "labels", "confirm", sscc, "--seen", "--cmd-id", "seen-1") for _ in range(2)]
    assert done[0] == done[1]
    assert done[0]["state"] == "confirmed"
    assert bodega(node, "labels", "ls", "--unknown").stdout.strip() == "No label needs a person."
    assert "labels-unknown" not in {one["code"] for one in answer(node, "status")["health"]}
    again = bodega(node, "labels", "confirm", sscc, "--seen")
    assert "not in doubt" in again.stderr


def test_a_label_that_can_not_be_printed_is_failed_and_tried_again_as_a_counted_copy(node: Path) -> None:
    job = label_of(node, "FO-2", "failed")
    assert job["detail"]
    assert f"bodega labels retry {job['sscc']}" in bodega(node, "labels", "ls", "--failed").stdout
    assert "labels-failed" in {one["code"] for one in answer(node, "status")["health"]}
    done = [answer(node, "labels", "retry", job["sscc"], "--cmd-id", "retry-1") for _ in range(2)]
    assert done[0] == done[1]
    assert (done[0]["state"], done[0]["copy"]) == ("queued", 2)
    # A queued label may still come out: nobody gets a second one.
    refused = bodega(node, "labels", "reprint", job["sscc"], "--reason", "impatient")
    assert refused.returncode == 1
    copies = [one for one in answer(node, "labels", "ls") if one["fulfillment_order_id"] == "FO-2"]
    assert [(one["copy"], one["state"]) for one in copies] == [(1, "superseded"), (2, "queued")]

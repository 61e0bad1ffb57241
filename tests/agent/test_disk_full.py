"""A full disk under a real ledger: scans are recorded to the end, promises are refused, and all comes back."""

from __future__ import annotations

import asyncio
import errno
import json
from pathlib import Path

import apsw
import pytest

from bodega.errors import Unavailable
from bodega_agent.store.reader import Reader
from bodega_agent.store.transaction import Transaction
from support import full_disk_story, small_disk
from support.bodega_command import answer, bodega, fill_ledger, running_agent, write_config
from support.full_disk_story import DISK_BYTES, KIB, SCANS_ON_THE_BALLAST, SHELVED, Node
from support.node_under_test import scan_text
from support.small_disk import SmallDisk, can_mount, on_a_tmpfs

# The simulated disk works everywhere. Where the machine lets us, the same story runs on a real small one too.
DISKS = ["simulated", *(["tmpfs"] if can_mount() else [])]


async def _story_on(disk: str, folder: Path) -> object:
    if disk == "simulated":
        return await full_disk_story.tell(SmallDisk(folder, DISK_BYTES))
    command = ("-m", "support.full_disk_story", str(folder))
    done = await asyncio.to_thread(on_a_tmpfs, DISK_BYTES, folder, *command)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("disk", DISKS)
async def test_on_a_full_disk_scans_are_recorded_and_promises_refused_until_there_is_room_again(
    tmp_path: Path, disk: str
) -> None:
    seen = await _story_on(disk, tmp_path)
    assert seen == {
        "before": {"rung": "roomy", "ballast": True, "frames": 2, "scan": "done, done", "hub": "done"},
        # One commit held a scan and a promise: the scan went in, and the promise heard of the full disk.
        "full": {
            "rung": "physical_only",
            "ballast": False,
            "frames": 0,
            "scan": "done, disk-full",
            "hub": "disk-full",
        },
        "reason": "the disk is full: a write was refused",
        "on_the_ballast": ["done"],
        "swept": {"rung": "physical_only", "ballast": False, "frames": 0},
        "after": {"rung": "roomy", "ballast": True, "frames": 0, "promise": "done", "hub": "done"},
        "books": {"ok": True, "units": SHELVED + SCANS_ON_THE_BALLAST + 3, "scans": SCANS_ON_THE_BALLAST + 3},
    }


async def test_a_node_starts_on_a_full_disk_and_records(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path, DISK_BYTES)
    with disk.under_sqlite():
        first = Node(disk)
        await first.scan()
        first.store.close()
        disk.fill()
        second = Node(disk)
        assert second.looks() == {"rung": "physical_only", "ballast": False, "frames": 0}
        assert await second.promise() == "disk-full"
        assert (await second.store.read(Reader.verify))["events"] == 2
        second.store.close()


async def test_what_is_too_big_for_the_room_that_is_left_takes_no_scan_with_it(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path, DISK_BYTES)
    with disk.under_sqlite():
        node = Node(disk)
        disk.fill()

        def hoard(tx: Transaction) -> None:
            tx.execute("CREATE TABLE hoard AS SELECT zeroblob(?) AS bytes", (2 * KIB * KIB,))

        scan, hoarded = await asyncio.gather(node.scan(), node.store.write(hoard), return_exceptions=True)
        assert scan == "done"
        assert isinstance(hoarded, Unavailable)
        assert await node.scan() == "done", "the failed one left its room behind"
        node.store.close()


async def test_when_nothing_is_left_to_give_a_scan_is_answered_with_an_error_and_a_later_one_goes_in(
    tmp_path: Path,
) -> None:
    disk = SmallDisk(tmp_path, DISK_BYTES)
    with disk.under_sqlite():
        node = Node(disk)
        disk.fill()
        assert await node.scan() == "done"
        disk.fill()
        assert await node.scan() == "unavailable"
        disk.clear()
        assert await node.scan() == "done"
        assert (await node.store.read(Reader.verify))["events"] == 2
        node.store.close()


async def test_a_quota_is_a_full_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SmallDisk(tmp_path, DISK_BYTES)
    # What SQLite says when write(2) answers EDQUOT: an I/O error, and the errno for those who ask.
    monkeypatch.setattr(small_disk, "refusal", lambda: apsw.exception_for(apsw.SQLITE_IOERR_WRITE))
    monkeypatch.setattr(small_disk, "last_errno", errno.EDQUOT)
    with disk.under_sqlite():
        node = Node(disk)
        disk.fill()
        assert await node.scan() == "done"
        assert node.looks()["rung"] == "physical_only"
        node.store.close()


async def test_any_other_fault_of_the_disk_costs_no_ballast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SmallDisk(tmp_path, DISK_BYTES)
    monkeypatch.setattr(small_disk, "refusal", lambda: apsw.exception_for(apsw.SQLITE_IOERR_WRITE))
    monkeypatch.setattr(small_disk, "last_errno", errno.EIO)
    with disk.under_sqlite():
        node = Node(disk)
        disk.fill()
        assert await node.scan() == "unavailable"
        assert (node.looks()["rung"], node.looks()["ballast"]) == ("roomy", True)
        node.store.close()


SCARCE = '[disk]\nballast = "1 MiB"\ndrop_below = "99%"\nrefuse_promises_below = "99%"\n'


@pytest.mark.system
@pytest.mark.parametrize(
    ("sizes", "code", "line"),
    [
        ('physical_only_below = "0 B"\n', "disk-no-promises", "no new promises"),
        ('physical_only_below = "99%"\n', "disk-full", "physical only"),
    ],
)
def test_a_running_agent_shows_its_rung_and_takes_scans_on_every_one(
    tmp_path: Path, sizes: str, code: str, line: str
) -> None:
    fill_ledger(tmp_path)
    config = write_config(tmp_path, disk=SCARCE + sizes)
    with running_agent(config):
        facts = answer(config, "status")
        shown = bodega(config, "status", "--check")
        bodega(config, "floor", stdin=f"receive\n{scan_text(1)}\ndone\n")
        stock = answer(config, "stock")
    assert facts["disk"]["rung"] == line.replace(" ", "_")
    assert facts["disk"]["ballast_bytes"] == (0 if code == "disk-full" else KIB * KIB)
    assert [problem["code"] for problem in facts["health"]] == [code]
    assert shown.returncode == 1
    assert f"disk      {line}, " in shown.stdout
    assert "to spare" in shown.stdout
    assert [(row["sku_id"], row["quantity"]) for row in stock] == [("SKU-1", 1)]

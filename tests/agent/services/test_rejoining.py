"""The service that takes a lost place again: what it asks, what it tells while it is refused, and what it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega.errors import PeerFault, Refused, Unavailable
from bodega.limits import REJOIN_RETRY_S
from bodega.v1 import nodesync_pb2 as pb
from bodega_agent.services.rejoining import RejoinService
from bodega_agent.store import forks, rejoin
from bodega_agent.store.archive import FOLDER, events_in
from bodega_agent.store.store import Store
from support.promising import shelve
from support.recovery_world import NODE, HubInProcess, RecoveryWorld

pytestmark = pytest.mark.looptime


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RecoveryWorld]:
    made = RecoveryWorld(tmp_path)
    yield made
    made.hub.close()


class Link:
    """NodeSyncClient that fails as told, and then asks the hub."""

    def __init__(self, world: RecoveryWorld, *failures: Exception) -> None:
        self.hub = HubInProcess(lambda: world.hub, world.clocks.now_ms)
        self.failures = list(failures)
        self.asked: list[int] = []
        self.cut = False

    async def find_ancestor(self, request: pb.FindAncestorRequest) -> pb.FindAncestorResponse:
        if self.failures:
            raise self.failures.pop(0)
        self.asked.append(len(request.proofs))
        return await self.hub.find_ancestor(request)

    async def begin_epoch(self, request: pb.BeginEpochRequest) -> pb.BeginEpochResponse:
        return await self.hub.begin_epoch(request)

    async def get_snapshot(self, request: pb.GetSnapshotRequest) -> pb.GetSnapshotResponse:
        return (
            pb.GetSnapshotResponse() if self.cut and request.offset else await self.hub.get_snapshot(request)
        )


def _service(store: Store, link: Link, ready: asyncio.Event, *, restored: bool = False) -> RejoinService:
    async def lost() -> None:
        return

    return RejoinService(
        node_id=NODE,
        boot_nonce="now",
        store=store,
        hub=link,
        restored=restored,
        place_lost=lost,
        on_ready=ready.set,
        draw=lambda: 0.5,
    )


async def test_a_refusal_is_told_once_and_asked_again_until_a_person_has_approved(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 1))
        await world.sync(store)
    world.wipe_node()
    async with world.node() as store:
        ready = asyncio.Event()
        service = _service(store, Link(world, Unavailable("the link is lost")), ready)
        with capture_logs() as logs:
            running = asyncio.create_task(service.run())
            await asyncio.sleep(4.5 * REJOIN_RETRY_S)
            assert "may not begin a new epoch by itself" in service.refusal
            assert "bodegactl nodes readmit lisbon-01" in service.refusal
            world.readmit()
            await ready.wait()
            await running
        assert [line["code"] for line in logs if line["event"] == "new_epoch_refused"] == [
            "unavailable",
            "not-declared",
        ]
        assert store.path.with_name(rejoin.PLAN).exists()
    async with world.node() as store:
        assert (await store.head()).epoch == 2


async def test_the_fork_is_exported_first_and_reads_back_as_a_chain(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 1))
        await world.sync(store)
        await store.write(lambda tx: shelve(tx, "TEA", 300))
        service = _service(store, Link(world, Refused("no", code="other-agent-alive")), asyncio.Event())
        running = asyncio.create_task(service.run())
        await asyncio.sleep(0.5 * REJOIN_RETRY_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        folder = store.path.parent / FOLDER
        assert [seq for seq, _body, _hash in events_in(folder / service.exported)] == [3, 4]
        (row,) = forks.listed(folder)
        assert (row["kind"], Path(row["file"]).name) == ("events", service.exported)
        assert (Path(row["file"]).stat().st_mode & 0o777, row["size_bytes"] > 0) == (0o600, True)


async def test_the_common_ancestor_is_found_in_a_few_rounds_however_long_the_fork(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        for _ in range(20):
            await store.write(lambda tx: shelve(tx, "TEA", 1))
        await world.sync(store)
        copy = world.backup_node()
        for _ in range(300):
            await store.write(lambda tx: shelve(tx, "TEA", 1))
        await world.sync(store)
    world.restore_node(copy)
    async with world.node() as store:
        for _ in range(250):
            await store.write(lambda tx: shelve(tx, "SALT", 1))
        link = Link(world)
        plan = await _service(store, link, asyncio.Event(), restored=True).ask()
        assert (plan.ancestor.seq, plan.ancestor.hash) == (40, await store.hash_at(40))
        assert len(link.asked) <= 4
        assert max(link.asked) <= 64


async def test_a_snapshot_that_ends_early_is_no_snapshot(world: RecoveryWorld) -> None:
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 1))
        await world.sync(store)
        link = Link(world)
        link.cut = True
        with pytest.raises(PeerFault, match="ends at 64 of"):
            await _service(store, link, asyncio.Event(), restored=True).ask()
        assert not store.path.with_name(rejoin.PLAN).exists()

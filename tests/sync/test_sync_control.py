"""Pause, resume, resync: each does what it says, says it again when repeated, and loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.errors import Refused, Unavailable
from bodega.v1 import sync_pb2
from bodega_agent.services.sync_control import SyncControl, paused_at_ms
from bodega_controlplane.app.goods import catalogue
from support.controlplane import OPERATOR, sku
from support.nats import NatsServer
from support.node_and_hub import Pair, pair
from support.waiting import until, until_async


async def knows(both: Pair, sku_id: str) -> bool:
    return bool(
        await both.store.read(lambda reader: reader.rows("SELECT 1 FROM sku WHERE sku_id = ?", sku_id))
    )


async def test_a_pause_stops_both_streams_and_not_the_work_and_a_resume_sends_what_was_done(
    both: Pair,
) -> None:
    await until_async(lambda: knows(both, "TEA"))
    first = await both.tell("sync.pause")
    assert not first["already"]
    before = (await both.view()).applied_seq
    await both.do("receive", sku_id="TEA", quantity=2, bin_id="DOCK")
    await both.hub.run(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [sku("LATER")]))

    async def said() -> bool:
        view = await both.view()
        return view.paused_at_ms == first["paused_at_ms"] and view.head_seq == (await both.store.head()).seq

    await until_async(said, what="the hub has heard of the pause, and of what is not sent")
    beats: list[int] = []
    heartbeat = both.link.heartbeat

    async def counted(request: sync_pb2.HeartbeatRequest) -> sync_pb2.HeartbeatResponse:
        beats.append(1)
        return await heartbeat(request)

    both.link.heartbeat = counted  # type: ignore[method-assign]  # to see that time passes
    await until(lambda: len(beats) > 5, what="some heartbeats")
    assert (await both.view()).applied_seq == before
    assert not await knows(both, "LATER")
    assert await both.tell("sync.pause") == {**first, "already": True}

    assert (await both.tell("sync.resume"))["was_paused"]
    await both.caught_up()
    await until_async(lambda: knows(both, "LATER"))
    again = await both.tell("sync.resume")
    assert not again["was_paused"]

    async def forgotten() -> bool:
        return (await both.view()).paused_at_ms == 0

    await until_async(forgotten)


async def test_a_pause_outlives_a_restart(both: Pair) -> None:
    told = await both.tell("sync.pause")
    assert await both.store.read(paused_at_ms) == told["paused_at_ms"]


async def test_a_resync_sends_again_from_the_hubs_head_fetches_and_compares(both: Pair) -> None:
    await until_async(lambda: knows(both, "TEA"))
    await both.do("receive", sku_id="TEA", quantity=2, bin_id="DOCK")
    await both.caught_up()
    checkpoints = await both.store.read(lambda reader: reader.rows("SELECT seq FROM checkpoint"))
    told = await both.tell("sync.resync")
    assert told["head_seq"] >= told["from_seq"] - 1
    await both.caught_up()
    now = await both.store.read(lambda reader: reader.rows("SELECT seq FROM checkpoint"))
    assert len(now) == len(checkpoints) + 1
    await both.tell("sync.resync")
    await both.caught_up()
    assert await both.store.read(lambda reader: reader.rows("SELECT seq FROM checkpoint")) == now, (
        "nothing is new"
    )
    assert (await both.view()).diverged_seq == 0


async def test_what_cannot_be_done_says_why(both: Pair, tmp_path: Path) -> None:
    await both.tell("sync.pause")
    with pytest.raises(Refused, match="paused"):
        await both.tell("sync.resync")
    alone = SyncControl(both.store, both.integrity, None)
    for op in ("sync.pause", "sync.resume", "sync.resync"):
        with pytest.raises(Refused, match="works alone"):
            await alone.answers[op]({})


async def test_a_resync_without_a_link_is_unavailable(nats_server: NatsServer, tmp_path: Path) -> None:
    async with pair(nats_server, tmp_path, "TEA", online=False) as both:
        with pytest.raises(Unavailable):
            await both.tell("sync.resync")

"""Webhooks on a real database and real HTTP servers: signed, in order, tried again, turned off, told again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from bodega.limits_events import (
    WEBHOOK_OLD_SECRET_S,
    WEBHOOK_RETRY_DELAYS_S,
    WEBHOOK_RUN_EVENTS_MAX,
)
from bodega_controlplane.app import audit
from bodega_controlplane.app.telling import delivering, webhooks
from bodega_controlplane.services.telling import TellingService
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import rows_of
from support.hooks import Receiver, receiver
from support.moved_order import place, two_nodes
from support.waiting import until
from support.webhook_world import JITTER, World


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    two_nodes(store, lisbon=500, porto=500)
    return World(store, tmp_path)


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver() as seen:
        yield seen


async def test_an_order_is_called_out_in_order_and_signed_as_the_standard_says(
    world: World, shop: Receiver
) -> None:
    made = world.add(shop.url, "order.*", "fulfillment.*")
    world.happen(3)
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).waiting == 0)
    assert shop.types == ["order.placed", "fulfillment.assigned"] * 3
    assert [call.event_id for call in shop.calls] == [
        row.event_id for row in rows_of(world.store, schema.event) if row.type != "stock.changed"
    ]
    for call in shop.calls:
        body = call.verified(made.secret)
        assert (body["id"], body["timestamp"][-1]) == (call.event_id, "Z")
        assert call.headers["content-type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            replace(call, body=call.body.replace(b"R-1", b"R-2")).verified(made.secret)
        with pytest.raises(WebhookVerificationError):
            call.verified("whsec_" + "A" * 44)
    rows = world.store.read(lambda tx: webhooks.deliveries(tx, made.webhook_id))
    assert [(row.status, row.attempt) for row in rows] == [(204, 1)] * 6


async def test_what_happens_is_called_out_within_a_moment(world: World, shop: Receiver) -> None:
    """The services of one instance together, from the commit to the call."""
    made = world.add(shop.url, "order.placed")
    async with world.serving() as service:
        telling = asyncio.create_task(TellingService(world.hub, service.wake).run())
        await world.hub.run(lambda tx: None)
        await asyncio.to_thread(place, world.store, 1)
        await until(lambda: shop.types == ["order.placed"])
        telling.cancel()
    assert shop.calls[0].verified(made.secret)["data"]["reference"] == "R-1"


async def test_a_call_that_fails_is_repeated_by_the_schedule_and_nothing_overtakes_it(
    world: World, shop: Receiver
) -> None:
    made = world.add(shop.url, "order.placed")
    world.happen(2)
    shop.answers = [(500, {})] * 3
    for failed, delay_s in enumerate(WEBHOOK_RETRY_DELAYS_S[:3], start=1):
        async with world.serving():
            await until(lambda failed=failed: world.now(made.webhook_id).attempts == failed)
        wait_ms = world.now(made.webhook_id).next_attempt_ms - world.hub.now_ms()
        assert delay_s * (1 - JITTER) * 1000 - 2_000 < wait_ms <= delay_s * (1 + JITTER) * 1000
        assert len(shop.calls) == failed
        world.clock.ahead_s += delay_s * (1 + JITTER)
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).waiting == 0)
    ids = [call.event_id for call in shop.calls]
    # The same name each time, so that the receiver knows it again; the second event came last.
    assert ids[0] == ids[1] == ids[2] == ids[3] != ids[4]
    # Signed anew each time: a receiver takes no old timestamp.
    stamps = [int(call.headers["webhook-timestamp"]) for call in shop.calls]
    assert stamps == sorted(stamps)
    assert stamps[0] != stamps[3]
    assert world.now(made.webhook_id).attempts == 0
    failed_ones = world.store.read(lambda tx: webhooks.deliveries(tx, made.webhook_id, failed=True))
    assert [(row.status, row.attempt) for row in failed_ones] == [(500, 3), (500, 2), (500, 1)]


async def test_an_endpoint_that_fails_to_the_end_of_the_schedule_is_turned_off_and_says_so(
    world: World, shop: Receiver
) -> None:
    made = world.add(shop.url, "order.placed")
    watcher = world.add(shop.url.replace("/hooks", "/watch"), "webhook.disabled")
    world.happen()
    shop.status = 503
    for delay_s in (0, *WEBHOOK_RETRY_DELAYS_S):
        world.clock.ahead_s += delay_s * (1 + JITTER)
        before = world.now(made.webhook_id).attempts
        async with world.serving():
            await until(lambda before=before: world.now(made.webhook_id).attempts > before)
    off = world.now(made.webhook_id)
    assert (off.enabled, off.attempts, off.reason) == (False, 10, "10 attempts failed: answered 503")
    assert len(shop.calls) == 1 + len(WEBHOOK_RETRY_DELAYS_S)
    (line,) = [
        one
        for one in world.store.read(lambda tx: audit.list_audit(tx, subject=made.webhook_id))
        if one.action == "webhook.disabled"
    ]
    assert line.actor == "hub"
    # Turned on again it goes on where it stopped: nothing was left out.
    shop.status = 200
    world.happen()
    world.store.write(lambda tx: webhooks.turn(tx, world.caller, made.webhook_id, on=True))
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).waiting == 0)
        await until(lambda: world.now(watcher.webhook_id).waiting == 0)
    placed = [call for call in shop.calls if call.path == "/hooks"]
    assert placed[-2].event_id == placed[0].event_id
    assert placed[-1].event_id != placed[0].event_id
    (told,) = [call.event for call in shop.calls if call.path == "/watch"]
    assert (told["type"], told["data"]["webhook_id"]) == ("webhook.disabled", made.webhook_id)


async def test_an_endpoint_that_is_gone_is_turned_off_at_once(world: World, shop: Receiver) -> None:
    made = world.add(shop.url)
    world.happen()
    shop.status = 410
    async with world.serving():
        await until(lambda: not world.now(made.webhook_id).enabled)
    assert world.now(made.webhook_id).reason == "the endpoint is gone (410)"
    assert len(shop.calls) == 1


@pytest.mark.parametrize("status", [301, 307, 400, 404])
async def test_only_2xx_is_a_success_and_no_redirect_is_followed(
    sqlite_store: Store, tmp_path: Path, shop: Receiver, status: int
) -> None:
    two_nodes(sqlite_store)
    world = World(sqlite_store, tmp_path)
    made = world.add(shop.url)
    world.happen()
    shop.answers = [(status, {"Location": shop.url.replace("/hooks", "/elsewhere")})]
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).attempts == 1)
    assert [call.path for call in shop.calls] == ["/hooks"]


async def test_an_endpoint_that_wants_to_be_left_alone_is(
    sqlite_store: Store, tmp_path: Path, shop: Receiver
) -> None:
    two_nodes(sqlite_store)
    world = World(sqlite_store, tmp_path)
    made = world.add(shop.url)
    world.happen()
    shop.answers = [(429, {"Retry-After": "3600"})]
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).attempts == 1)
    assert world.now(made.webhook_id).next_attempt_ms - world.hub.now_ms() > 3_500_000


async def test_at_a_rotation_both_secrets_sign_for_a_while(world: World, shop: Receiver) -> None:
    made = world.add(shop.url, "order.placed")
    fresh = world.store.write(lambda tx: webhooks.rotate(tx, world.caller, made.webhook_id, world.vault))[0]
    assert fresh.secret != made.secret
    world.happen()
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).waiting == 0)
    assert shop.calls[0].verified(made.secret) == shop.calls[0].verified(fresh.secret)
    assert len(shop.calls[0].headers["webhook-signature"].split()) == 2
    world.clock.ahead_s = WEBHOOK_OLD_SECRET_S + 1
    world.happen()
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).waiting == 0)
    assert len(shop.calls) == 2
    assert len(shop.calls[1].headers["webhook-signature"].split()) == 1


async def test_a_secret_that_another_hubs_key_has_sealed_is_a_failure_until_it_is_rotated(
    world: World, shop: Receiver, tmp_path: Path
) -> None:
    """As after a database was restored without its key: nothing goes out unsigned, and nothing is lost."""
    made = world.add(shop.url, "order.placed")
    world.happen()
    (tmp_path / "hub.key").unlink()
    other = World(world.store, tmp_path)
    async with other.serving():
        await until(lambda: other.now(made.webhook_id).attempts == 1)
        (call,) = world.store.read(lambda tx: webhooks.deliveries(tx, made.webhook_id))
        assert (call.status, "can not be opened with this hub's key" in call.problem) == (0, True)
        assert shop.calls == []
        fresh = world.store.write(lambda tx: webhooks.rotate(tx, other.caller, made.webhook_id, other.vault))[
            0
        ]
        other.clock.ahead_s = 60
        await until(lambda: other.now(made.webhook_id).waiting == 0)
    assert shop.calls[0].verified(fresh.secret)["type"] == "order.placed"


async def test_from_any_event_on_everything_is_told_again_under_the_same_names(
    world: World, shop: Receiver
) -> None:
    made = world.add(shop.url, "order.placed")
    world.happen(3)
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).waiting == 0)
        first = [call.event_id for call in shop.calls]
        world.store.write(lambda tx: webhooks.replay(tx, world.caller, made.webhook_id, first[0]))
        await until(lambda: world.now(made.webhook_id).waiting == 0)
    assert [call.event_id for call in shop.calls] == [*first, *first[1:]]
    late = world.add(shop.url, "order.placed", after="")
    async with world.serving():
        await until(lambda: world.now(late.webhook_id).waiting == 0)
    assert [call.event_id for call in shop.calls][-3:] == first


async def test_a_replay_during_a_run_is_not_written_over_by_it(world: World, shop: Receiver) -> None:
    made = world.add(shop.url, "order.placed")
    world.happen(2)
    now_ms = world.hub.now_ms()
    (run,) = world.store.write(lambda tx: delivering.claim(tx, now_ms, 9))[0]
    world.store.write(lambda tx: webhooks.replay(tx, world.caller, made.webhook_id, ""))
    # Nobody else begins before that run has ended, or its lease has run out.
    assert world.store.write(lambda tx: delivering.claim(tx, now_ms, 9))[0] == ()
    answers = [delivering.Answer(one, now_ms, 1, 200) for one in run.messages]
    world.store.write(lambda tx: delivering.finish(tx, now_ms, run, answers, 0.5))
    (again,) = world.store.write(lambda tx: delivering.claim(tx, now_ms, 9))[0]
    assert again.messages == run.messages


async def test_two_instances_call_each_event_once(world: World, shop: Receiver, tmp_path: Path) -> None:
    made = [world.add(f"{shop.url}/{place_no}", "order.placed") for place_no in range(4)]
    other = World(world.store, tmp_path)
    world.happen(WEBHOOK_RUN_EVENTS_MAX + 5)
    async with world.serving(), other.serving():
        await until(lambda: all(world.now(one.webhook_id).waiting == 0 for one in made))
    for place_no in range(4):
        mine = [call.event_id for call in shop.calls if call.path == f"/hooks/{place_no}"]
        numbers = [int(event_id.split("_")[1]) for event_id in mine]
        assert len(numbers) == WEBHOOK_RUN_EVENTS_MAX + 5
        assert numbers == sorted(set(numbers))


async def test_an_instance_that_dies_leaves_its_endpoints_to_the_others(world: World, shop: Receiver) -> None:
    made = world.add(shop.url, "order.placed")
    world.happen()
    assert world.store.write(lambda tx: delivering.claim(tx, world.hub.now_ms(), 9))[0]
    async with world.serving():
        world.clock.ahead_s = 61
        await until(lambda: world.now(made.webhook_id).waiting == 0)
    assert len(shop.calls) == 1


async def test_one_endpoint_that_hangs_holds_up_no_other(world: World, shop: Receiver) -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)

    lines: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hanging = world.add(f"http://127.0.0.1:{port}/", "order.placed")
    made = world.add(shop.url, "order.placed")
    world.happen(2)
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).waiting == 0)
        assert world.now(hanging.webhook_id).waiting > 0
    server.close()
    for line in lines:
        line.close()
    # The run that was cut off has given it back: the next instance begins at once.
    assert world.store.read(lambda tx: delivering.any_due(tx, world.hub.now_ms()))

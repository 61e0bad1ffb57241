"""Whose turn it is to be called, who may be called at all, and what is told of calls without an answer."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bodega.errors import InvalidInput, Refused
from bodega_controlplane.app import audit
from bodega_controlplane.app.selling import channels
from bodega_controlplane.app.telling import delivering, webhooks
from bodega_controlplane.app.telling.delivering import Answer, Run
from bodega_controlplane.app.telling.views import WebhookDraft
from bodega_controlplane.app.views import Caller
from bodega_controlplane.services import posting
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR
from support.moved_order import two_nodes
from support.waiting import until
from support.webhook_world import HERE, World

URL = "http://127.0.0.1:9/hooks"


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    two_nodes(store, lisbon=500, porto=500)
    return World(store, tmp_path)


def claimed(world: World, limit: int) -> tuple[Run, ...]:
    return world.store.write(lambda tx: delivering.claim(tx, world.hub.now_ms(), limit))[0]


def taken(world: World, run: Run) -> None:
    now_ms = world.hub.now_ms()
    answers = [Answer(one, now_ms, 1, 204) for one in run.messages]
    world.store.write(lambda tx: delivering.finish(tx, now_ms, run, answers, 0.5))


def test_endpoints_that_always_have_something_to_hear_take_turns(world: World) -> None:
    """With fewer runs at once than endpoints, the newest endpoint must not wait for ever."""
    made = {world.add(f"{URL}/{number}").webhook_id for number in range(3)}
    called = []
    for _ in made:
        world.happen()
        world.clock.ahead_s += 1
        (run,) = claimed(world, 1)
        taken(world, run)
        called.append(run.webhook_id)
    assert set(called) == made


def test_a_clock_that_jumps_back_keeps_nobody_waiting_that_takes_all_it_is_told(world: World) -> None:
    world.add(URL)
    world.happen()
    world.clock.ahead_s = 3600
    taken(world, claimed(world, 1)[0])
    world.clock.ahead_s = 0
    world.happen()
    assert len(claimed(world, 1)) == 1


async def test_a_call_without_an_answer_tells_how_long_it_was_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)

    lines: list[asyncio.StreamWriter] = []
    monkeypatch.setattr(posting, "WEBHOOK_ANSWER_S", 0.3)
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    made = world.add(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", "order.placed")
    world.happen()
    async with world.serving():
        await until(lambda: world.now(made.webhook_id).attempts == 1)
    server.close()
    for line in lines:
        line.close()
    (call,) = world.store.read(lambda tx: webhooks.deliveries(tx, made.webhook_id))
    assert (call.status, call.problem) == (0, "no answer within 0 s")
    assert call.duration_ms >= 300


def test_a_channel_that_was_revoked_is_told_nothing_any_more(world: World) -> None:
    world.store.write(lambda tx: channels.create_channel(tx, OPERATOR, "bazaar", "marketplace"))
    bazaar = Caller("bazaar", "bazaar", OPERATOR.now_ms)
    draft = WebhookDraft(URL)
    made = world.store.write(lambda tx: webhooks.create(tx, bazaar, draft, HERE, world.vault))[0]
    others = world.add(URL)
    world.happen()
    (run,) = [one for one in claimed(world, 9) if one.webhook_id == made.webhook_id]
    world.store.write(lambda tx: channels.revoke_channel(tx, OPERATOR, "bazaar"))
    taken(world, run)  # it was under way
    off = world.now(made.webhook_id)
    assert (off.enabled, off.reason, off.version) == (False, "channel bazaar was revoked", made.version + 1)
    assert world.now(others.webhook_id).enabled
    (line,) = world.store.read(lambda tx: audit.list_audit(tx, subject=made.webhook_id))[:1]
    assert (line.action, line.actor) == ("webhook.disabled", "operator")
    world.clock.ahead_s = 3600
    world.happen()
    assert {one.webhook_id for one in claimed(world, 9)} == {others.webhook_id}


@pytest.mark.parametrize("channel", ["bazar", "gone"])
def test_nobody_waits_for_calls_to_a_channel_that_is_none(world: World, channel: str) -> None:
    world.store.write(lambda tx: channels.create_channel(tx, OPERATOR, "gone", "pos"))
    world.store.write(lambda tx: channels.revoke_channel(tx, OPERATOR, "gone"))
    caller, draft = Caller("operator", channel, OPERATOR.now_ms), WebhookDraft(URL)
    with pytest.raises(InvalidInput) as refused:
        world.store.write(lambda tx: webhooks.create(tx, caller, draft, HERE, world.vault))
    assert [fault.where for fault in refused.value.faults] == ["channel"]


def test_two_who_make_the_last_endpoint_at_once_make_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "WEBHOOKS_PER_CHANNEL_MAX", 3)

    def make(_number: int) -> bool:
        try:
            world.add(URL)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(make, range(16))) == 3

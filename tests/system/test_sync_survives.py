"""One fleet of processes at work, and all that can happen to it: nothing is lost, and nothing happens twice.

The tests share the fleet, each does its harm under load; after it every book must agree with every other.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from nats.js.manager import JetStreamManager

from support.fleet import NODES
from support.fleet_books import check_books, current
from support.fleet_lines import Lines, running_lines
from support.fleet_load import PATIENCE_S, under_load
from support.long_run import by_length
from support.nats import NatsServer
from support.proxy import Way
from support.waiting import until

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(by_length(400, 3_600)),
    pytest.mark.asyncio(loop_scope="module"),
]

ROUNDS = by_length(1, 25)
CUTS_IN_MID_ENVELOPE = by_length(4, 60)
# About what an envelope of a few events takes on the line.
MID_ENVELOPE_BYTES_MAX = 1_500
LATE_S = (0.1, 0.3)
COMMANDS_MAX = 40


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lines(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lines]:
    async with running_lines(tmp_path_factory.mktemp("fleet")) as made:
        yield made


async def test_each_process_is_killed_in_turn(lines: Lines) -> None:
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    orders = len(lines.work.orders)
    async with under_load(lines.work):
        for _ in range(ROUNDS):
            for victim in dice.sample([*lines.fleet.processes, lines.broker], k=4):
                await lines.work.more(dice.randrange(1, COMMANDS_MAX))
                if isinstance(victim, NatsServer):
                    await asyncio.to_thread(victim.kill)
                    await lines.work.more(dice.randrange(1, COMMANDS_MAX))
                    await asyncio.to_thread(victim.start)
                else:
                    await victim.kill()
                    await victim.start()
        await current(lines.fleet)
    await check_books(lines.work)
    assert len(lines.work.orders) > orders + ROUNDS, f"the shop stood still; seed {seed}"


async def test_lines_are_cut_and_then_late(lines: Lines) -> None:
    async with under_load(lines.work):
        for line in lines.all:
            line.cut()
            await lines.work.more(20)
            line.heal()
        for line in lines.all:
            line.slow_down(*LATE_S)
        await lines.work.more(100)
        await current(lines.fleet)
        await lines.linked(wanted=True)
        for line in lines.all:
            line.slow_down(0, 0)
    await check_books(lines.work)


async def test_lines_die_in_one_direction_or_in_both(lines: Lines) -> None:
    lisbon, porto = lines.nodes.values()
    async with under_load(lines.work):
        await lines.work.more(20)
        lines.hub.black_hole(Way.TO_CLIENT)
        lisbon.black_hole(Way.TO_SERVER)
        porto.black_hole()
        await lines.linked(wanted=False)
        for line in lines.all:
            line.heal()
        await current(lines.fleet)
    await check_books(lines.work)


async def test_lines_are_cut_in_the_middle_of_an_envelope(lines: Lines) -> None:
    dice = random.Random(20_261_122)
    async with under_load(lines.work):
        for number in range(CUTS_IN_MID_ENVELOPE):
            line = lines.all[number % len(lines.all)]
            async with asyncio.timeout(PATIENCE_S):
                await line.blow_after(dice.randrange(1, MID_ENVELOPE_BYTES_MAX))
            await lines.work.more(5)
        await current(lines.fleet)
    await check_books(lines.work)


Harm = Callable[[JetStreamManager], Awaitable[object]]


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda broker: broker.delete_stream("UP"), id="up-deleted"),
        pytest.param(lambda broker: broker.delete_stream("DOWN"), id="down-deleted"),
        pytest.param(lambda broker: broker.purge_stream("UP"), id="up-purged"),
        pytest.param(lambda broker: broker.purge_stream("DOWN"), id="down-purged"),
        pytest.param(lambda broker: broker.delete_consumer("UP", "hub"), id="hub-consumer-deleted"),
        pytest.param(
            lambda broker: broker.delete_consumer("DOWN", f"node-{NODES[0]}"), id="node-consumer-deleted"
        ),
    ],
)
async def test_somebody_tidies_up_at_the_broker(lines: Lines, harm: Harm) -> None:
    async with under_load(lines.work):
        await lines.work.more(20)
        async with lines.managed() as broker:
            await harm(broker)
        await lines.work.more(20)
        await current(lines.fleet)
    await check_books(lines.work)


async def test_the_brokers_disk_is_replaced_by_an_empty_one(lines: Lines) -> None:
    async with under_load(lines.work):
        await lines.work.more(20)
        await asyncio.to_thread(lines.broker.lose_everything)
        await lines.work.more(20)
        await current(lines.fleet)
    await check_books(lines.work)


async def test_the_broker_is_restored_from_an_old_copy(lines: Lines) -> None:
    store, copy = lines.broker.folder / "store", lines.broker.folder / "copy"
    async with under_load(lines.work):
        await asyncio.to_thread(lines.broker.kill)
        shutil.copytree(store, copy)
        await asyncio.to_thread(lines.broker.start)
        await lines.work.more(60)
        await current(lines.fleet)
        await asyncio.to_thread(lines.broker.kill)
        shutil.rmtree(store)
        copy.rename(store)
        await asyncio.to_thread(lines.broker.start)
        await lines.work.more(20)
        await current(lines.fleet)
    await check_books(lines.work)


async def test_a_broker_that_hangs_is_seen_by_everybody(lines: Lines) -> None:
    assert lines.broker.process is not None
    async with under_load(lines.work):
        await lines.work.more(20)
        lines.broker.process.send_signal(signal.SIGSTOP)
        await lines.linked(wanted=False)
        lines.broker.process.send_signal(signal.SIGCONT)
        await current(lines.fleet)
    await check_books(lines.work)


async def test_a_hub_that_hangs_is_missed_and_goes_on(lines: Lines) -> None:
    log = lines.fleet.nodes[NODES[0]].recipe.log
    before = log.read_text().count("hub_silent")
    async with under_load(lines.work):
        os.kill(lines.fleet.hub.pid, signal.SIGSTOP)
        await until(lambda: log.read_text().count("hub_silent") > before, PATIENCE_S, "the hub is missed")
        os.kill(lines.fleet.hub.pid, signal.SIGCONT)
        await current(lines.fleet)
    await check_books(lines.work)


async def test_a_node_that_hangs_goes_on_where_it_was(lines: Lines) -> None:
    stopped = lines.fleet.nodes[NODES[0]]
    async with under_load(lines.work):
        await lines.work.more(20)
        os.kill(stopped.pid, signal.SIGSTOP)
        await lines.work.more(100)
        os.kill(stopped.pid, signal.SIGCONT)
        await current(lines.fleet)
    await check_books(lines.work)

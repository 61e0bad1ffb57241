"""One run of the demo from start to end: world, crew, story, audit, and everything stopped again."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import click

from bodega.host.tasks import end, failure_of
from bodega_agent.demo.audit import collect
from bodega_agent.demo.crew import Crew
from bodega_agent.demo.evidence import Evidence
from bodega_agent.demo.figures import figures_of
from bodega_agent.demo.folder import Folder
from bodega_agent.demo.invariants import Finding, judge
from bodega_agent.demo.keep import what_to_try
from bodega_agent.demo.plan import Plan
from bodega_agent.demo.progress import Progress
from bodega_agent.demo.regrets import Regrets
from bodega_agent.demo.report import document, print_report
from bodega_agent.demo.shop import Shop
from bodega_agent.demo.story import Story
from bodega_agent.demo.world import World


@dataclass(frozen=True, slots=True)
class Result:
    """The report as a JSON document, and what each rule found."""

    report: dict[str, Any]
    findings: tuple[Finding, ...]


async def run(plan: Plan, folder: Folder, *, stay: bool) -> Result:
    """Run the plan in `folder`; with `stay`, everything goes on until Ctrl-C. All is stopped in the end."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    started_s = time.monotonic()
    world = World(
        folder.root,
        folder.runtime,
        [site.site for site in plan.sites],
        associates=plan.associates,
        # One camera looks at one tray: where several work, each would have to have their own.
        vision=plan.associates == 1,
    )
    try:
        with Progress() as progress:
            work = _work(plan, world, progress, stay=stay, started_s=started_s)
            evidence = await _unless(stop, work)
    except BaseExceptionGroup as group:
        raise _first(group) from group
    finally:
        await world.stop()
    return _judged(replace(evidence, unclean_stops=tuple(world.unclean_stops)), time.monotonic() - started_s)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, Evidence]) -> Evidence:
    """The work's result; CancelledError when `stop` is set before."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.is_set():
        await end([working])
        if failure_of(working) is None:
            raise asyncio.CancelledError
    return await working


async def _work(plan: Plan, world: World, progress: Progress, *, stay: bool, started_s: float) -> Evidence:
    progress.chapter(f"starting a broker, a control plane and {len(plan.sites)} nodes")
    await world.start()
    async with AsyncExitStack() as closing:
        shop = Shop(world.endpoints["http"], world.storefront_token, [site.site for site in plan.sites])
        closing.push_async_callback(shop.close)
        regrets = Regrets(shop)
        crew = Crew(plan, world, regrets)
        story = Story(plan, world, shop, regrets, crew, progress)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(crew.work())
            await story.tell()
            progress.chapter("auditing devices, broker, databases and API")
            evidence = await collect(plan, world, shop, crew, story.kill)
            if stay:
                progress.close()
                await _stay(plan, world, _judged(evidence, time.monotonic() - started_s, running=True))
            crew.go_home()
    return evidence


async def _stay(plan: Plan, world: World, result: Result) -> None:
    """Show the result, and what to try; until Ctrl-C."""
    print_report(result.report, result.findings)
    click.echo(f"Everything runs on; files and logs are in {world.root}. In another terminal, try:\n")
    click.echo("\n".join(what_to_try(plan, world)))
    click.echo("\nCtrl-C here stops everything.")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _first(group: BaseExceptionGroup) -> BaseException:
    """The error that ended it all; the others only followed."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _judged(evidence: Evidence, seconds: float, *, running: bool = False) -> Result:
    findings = judge(evidence, running=running)
    return Result(document(evidence, figures_of(evidence), findings, seconds), findings)

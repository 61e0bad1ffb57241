"""Tells endpoints of webhooks what has happened: claims those that are due, calls them, writes down what came of it.

Any number of instances do this beside each other; a lease keeps each endpoint with one of them. One that is stopped
gives back what it has; one that dies leaves its leases to run out.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

from bodega.errors import BodegaError, IntegrityBroken
from bodega.host.log import get_logger
from bodega.host.tasks import end, failure_of, to_its_end
from bodega.limits_events import (
    WEBHOOK_HANG_UP_S,
    WEBHOOK_LOOK_S,
    WEBHOOK_RUN_S,
    WEBHOOK_RUNS_AT_ONCE_MAX,
)
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.telling import delivering
from bodega_controlplane.app.telling.delivering import Answer, Message, Run, Said
from bodega_controlplane.rules.telling import signatures
from bodega_controlplane.services.attempts import attempt

log = get_logger(__name__)


class Line(Protocol):
    """Calls of one endpoint."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Said:
        """One call. Raises Unavailable if nothing answers."""
        ...


class Lines(Protocol):
    """What calls endpoints (`posting.Poster`)."""

    def line_to(self, url: str) -> AbstractAsyncContextManager[Line]:
        """A line to one endpoint."""
        ...


class DeliveryService:
    """Runs for as long as the control plane does; `wake` it when there may be something new."""

    def __init__(self, hub: Hub, lines: Lines) -> None:
        self._hub = hub
        self._lines = lines
        self._woken = asyncio.Event()
        self._runs: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look at once."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled; then the calls under way are cut, and what was answered is written down."""
        try:
            while True:
                self._woken.clear()
                with attempt("webhooks_not_claimed"):
                    await self._begin_runs()
                try:
                    async with asyncio.timeout(WEBHOOK_LOOK_S):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            await to_its_end(end(self._runs, again_s=WEBHOOK_HANG_UP_S))

    async def _begin_runs(self) -> None:
        free = WEBHOOK_RUNS_AT_ONCE_MAX - len(self._runs)
        now_ms = self._hub.now_ms()
        if not free or not await self._hub.read(lambda tx: delivering.any_due(tx, now_ms)):
            return
        for run in await self._hub.run(lambda tx: delivering.claim(tx, now_ms, free)):
            task = asyncio.create_task(self._tell(run), name=f"webhook {run.webhook_id}")
            self._runs.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._runs.discard(task)
        failure = failure_of(task)
        if failure is not None:
            log.error("webhook_run_failed", webhook=task.get_name(), reason=repr(failure))
        self.wake()

    async def _tell(self, run: Run) -> None:
        answers: list[Answer] = []
        try:
            async for answer in self._answers(run):
                answers.append(answer)  # noqa: PERF401 - a comprehension would lose what came before a cancel
        finally:
            await to_its_end(self._write_down(run, answers))

    async def _write_down(self, run: Run, answers: list[Answer]) -> None:
        chance = random.random()  # noqa: S311 - jitter, not a secret
        try:
            await self._hub.run(lambda tx: delivering.finish(tx, self._hub.now_ms(), run, answers, chance))
        except BodegaError as error:
            # The lease runs out, and the same events are told again.
            log.warning("webhook_not_written_down", webhook_id=run.webhook_id, reason=error.message)

    async def _answers(self, run: Run) -> AsyncIterator[Answer]:
        """Call for one event after the other, until one is not taken or the run has lasted long enough."""
        began = time.monotonic()
        until = began + WEBHOOK_RUN_S
        waiting = list(run.messages)
        if not waiting:
            return
        try:
            secrets = self._opened(run)
            async with self._lines.line_to(run.url) as line:
                while waiting and time.monotonic() < until:
                    answer = await self._call(line, secrets, waiting.pop(0))
                    yield answer
                    if not answer.taken:
                        return
        except BodegaError as error:  # there is no line, and so no call yet
            yield Answer(waiting[0], self._hub.now_ms(), _ms_since(began), 0, error.message)

    def _opened(self, run: Run) -> list[str]:
        """Its secrets. Raises IntegrityBroken for one that another hub's key has sealed; an old one is left out."""
        newest, *old = run.secrets
        opened = [self._hub.key.vault.open_text(newest, run.webhook_id)]
        for one in old:
            with suppress(IntegrityBroken):
                opened.append(self._hub.key.vault.open_text(one, run.webhook_id))
        return opened

    async def _call(self, line: Line, secrets: Sequence[str], message: Message) -> Answer:
        now_ms, began = self._hub.now_ms(), time.monotonic()
        at_s = now_ms // 1000
        headers = {
            "webhook-id": message.event_id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signatures(secrets, message.event_id, at_s, message.body),
        }
        try:
            said = await line.post(message.body, headers)
        except BodegaError as error:
            return Answer(message, now_ms, _ms_since(began), 0, error.message)
        return Answer(message, now_ms, _ms_since(began), said.status, "", said.asked_s)


def _ms_since(began_s: float) -> int:
    return round((time.monotonic() - began_s) * 1000)

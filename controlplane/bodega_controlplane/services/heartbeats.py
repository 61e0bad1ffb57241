"""Heartbeats as they come, many in one commit: a fleet that beats at once costs a few transactions, not thousands."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import HEARTBEATS_PER_COMMIT_MAX, TEXT_CHARS_MAX
from bodega_controlplane.app.fleet import heartbeat, outbox
from bodega_controlplane.app.fleet.heartbeat import Answer, Heartbeat
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


@dataclass(slots=True)
class _Asked:
    beat: Heartbeat
    answer: asyncio.Future[Answer | None]


class HeartbeatDesk:
    """Answers in the order of arrival. Who asks bounds how many wait."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: deque[_Asked] = deque()
        self._working: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many have not been answered yet."""
        return len(self._waiting)

    async def ask(self, beat: Heartbeat) -> Answer | None:
        """The hub's answer; None if there is none now (the database is away, or chokes on what it says)."""
        asked = _Asked(beat, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await asked.answer

    async def _work(self) -> None:
        while self._waiting:
            batch = [
                self._waiting.popleft() for _ in range(min(len(self._waiting), HEARTBEATS_PER_COMMIT_MAX))
            ]
            answers = await self._answer([one.beat for one in batch])
            for asked, answer in zip(batch, answers, strict=True):
                if not asked.answer.done():
                    asked.answer.set_result(answer)

    async def _answer(self, beats: Sequence[Heartbeat]) -> Sequence[Answer | None]:
        def work(tx: Transaction) -> list[Answer]:
            node_ids = sorted({one.node_id for one in beats})
            tx.lock_nodes(node_ids)
            answers = [heartbeat.beat(tx, self._hub.now_ms(), one) for one in beats]
            outbox.enter_waiting(tx, node_ids)
            for beat, answer in zip(beats, answers, strict=True):
                if answer.down_seq > beat.down.seq:
                    tx.wake(beat.node_id)  # the window may have room now
            return answers

        try:
            return await self._hub.run(work)
        except Unavailable as error:
            log.warning("heartbeats_unanswered", nodes=len(beats), reason=error.message)
        except Exception as error:  # noqa: BLE001 - one bad heartbeat must not cost the others their answer
            if len(beats) > 1:
                return [(await self._answer([one]))[0] for one in beats]
            log.warning("heartbeat_failed", node_id=beats[0].node_id, reason=str(error)[:TEXT_CHARS_MAX])
        return [None] * len(beats)

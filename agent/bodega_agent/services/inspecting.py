"""The camera's word on a pick or a return: asked after that is durable, recorded as a decision, never in its way."""

from __future__ import annotations

import asyncio
from typing import Protocol
from uuid import uuid4

from bodega.host.log import get_logger
from bodega.limits import COMMANDS_WAITING_MAX
from bodega.v1 import decisions_pb2
from bodega_agent.rules.floor.scans import CheckOutcome, VerdictArrived
from bodega_agent.services.floor import FloorService, InspectAsked
from bodega_agent.store import catalogue, returns, work
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from bodega_agent.vision.messages import InspectRequest, Verdict

log = get_logger(__name__)


class Eyes(Protocol):
    """What the service needs of `vision.client.VisionClient`."""

    async def inspect(self, request: InspectRequest) -> Verdict:
        """Answers in bounded time, `review` when in doubt."""
        ...


class InspectingService:
    """Turns a pick, or a unit that came back, into a question to the camera; its answer into a record and a prompt."""

    def __init__(self, store: Store, floor: FloorService, eyes: Eyes, camera: str) -> None:
        self._store = store
        self._floor = floor
        self._eyes = eyes
        self._camera = camera
        # Bounded by the devices: each asks once per scan, and `Eyes` answers `busy` beyond its own bound.
        self._asked: asyncio.Queue[InspectAsked] = asyncio.Queue(maxsize=COMMANDS_WAITING_MAX)

    def ask(self, asked: InspectAsked) -> None:
        """Queue a question."""
        self._asked.put_nowait(asked)

    async def run(self) -> None:
        """Until cancelled. First of all, what was asked before a restart and never answered becomes `review`."""
        for device, fulfillment_order_id, line, sku_id in await self._store.write(work.unanswered_checks):
            await self._give_up(InspectAsked(device, fulfillment_order_id, line, sku_id))
        for device, return_id, order, line, sku_id in await self._store.write(returns.unanswered):
            await self._give_up(InspectAsked(device, order, line, sku_id, return_id))
        async with asyncio.TaskGroup() as tasks:
            while True:
                asked = await self._asked.get()
                tasks.create_task(self._inspect(asked))

    async def _give_up(self, asked: InspectAsked) -> None:
        reason = "not_answered: The agent stopped before the camera had answered; show it again or accept it."
        await self._tell(asked, Verdict(str(uuid4()), "review", (reason,)))

    async def _inspect(self, asked: InspectAsked) -> None:
        sku = await self._store.write(lambda tx: catalogue.sku_by_id(tx, asked.sku_id))
        request = InspectRequest(
            request_id=str(uuid4()),
            camera=self._camera,
            subject="return" if asked.return_id else "pick",
            expected_gtins=sku.gtins if sku else (),
            reference=asked.return_id or asked.fulfillment_order_id,
        )
        await self._tell(asked, await self._eyes.inspect(request))

    async def _tell(self, asked: InspectAsked, verdict: Verdict) -> None:
        news = VerdictArrived(
            asked.fulfillment_order_id,
            asked.line,
            asked.sku_id,
            CheckOutcome(verdict.outcome),
            tuple(text for _code, text in map(_split, verdict.reasons)),
            asked.return_id,
        )
        await self._floor.tell(asked.device, news, first=lambda tx: _record(tx, asked, verdict, news))


def _split(reason: str) -> tuple[str, str]:
    code, _, text = reason.partition(": ")
    return code, text or code


def _record(tx: Transaction, asked: InspectAsked, verdict: Verdict, news: VerdictArrived) -> None:
    order = work.find_or_none(tx, asked.fulfillment_order_id)
    decision = decisions_pb2.VisionDecision(
        fulfillment_order_id=asked.fulfillment_order_id,
        sku_id=asked.sku_id,
        outcome=verdict.outcome,
        reasons=[decisions_pb2.Reason(code=code, text=text) for code, text in map(_split, verdict.reasons)],
        frame_digest=verdict.frame_digest,
        model=verdict.model,
        provider=verdict.provider,
        scores=verdict.scores,
        thresholds=verdict.thresholds,
        seen=verdict.seen,
        duration_ms=verdict.duration_ms,
        return_id=asked.return_id,
    )
    context = Context(
        verdict.request_id,
        actor="vision",
        device=asked.device,
        correlation_id=order.order_id if order else asked.return_id,
    )
    tx.append(context, vision_decision=decision)
    if asked.return_id:
        returns.set_camera(tx, asked.return_id, asked.line, verdict.outcome, news.reasons)
        return
    assert order is not None, "a pick is always of an order"
    current = next(line for line in order.lines if line.line == asked.line)
    if current.camera != "accepted":
        work.set_camera(tx, asked.fulfillment_order_id, asked.line, verdict.outcome, news.reasons)

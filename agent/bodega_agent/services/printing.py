"""Labels: queued in the store, sent once, and honestly in doubt when nobody can know.

`sent` is durable before the first byte leaves. A driver's "failed" means that provably nothing reached the
printer, and alone puts a job back into the queue; anything less certain is `unknown` and waits for a person.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import uuid4

from bodega.core.lifecycles import PrintEvent, PrintState
from bodega.errors import BodegaError
from bodega.host.log import bound, get_logger
from bodega.limits import DEVICE_BACKOFF_BASE_S, DEVICE_BACKOFF_MAX_S
from bodega_adapters.labels.document import LabelDocument, render
from bodega_adapters.ports import LabelPrinter, PrinterStatus
from bodega_agent.store import labels
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction

log = get_logger(__name__)

_EVENT_OF = {
    "confirmed": PrintEvent.CONFIRM,
    "unknown": PrintEvent.LOSE_TRACK,
    "failed": PrintEvent.REFUSED_BEFORE_FIRST_BYTE,
}

Changed = Callable[[str, str, PrintState], Awaitable[None]]


class PrintService:
    """One printer, one job at a time. `changed(fulfillment_order_id, sscc, state)` tells the floor."""

    def __init__(self, store: Store, printer: LabelPrinter | None, changed: Changed) -> None:
        self._store = store
        self._printer = printer
        self._changed = changed
        self._work = asyncio.Event()
        self.status: PrinterStatus | None = None
        self.trouble = ""

    def wake(self) -> None:
        """There may be a job."""
        self._work.set()

    async def run(self) -> None:
        """Until cancelled. First of all, what was being sent when the agent stopped becomes `unknown`."""
        lost = await self._store.write(lambda tx: labels.lose_track_of_sent(tx, _context()))
        for doubtful in lost:
            log.warning("label_unknown_after_restart", sscc=doubtful.sscc)
            await self._changed(doubtful.fulfillment_order_id, doubtful.sscc, PrintState.UNKNOWN)
        if self._printer is None:
            return
        misses = 0
        while True:
            self._work.clear()
            job = await self._store.write(labels.next_queued)
            if job is None:
                await self._work.wait()
            elif await self._print(self._printer, job):
                misses = 0
            else:
                misses += 1
                await self._back_off(misses)

    async def _print(self, printer: LabelPrinter, job: labels.PrintJob) -> bool:
        """Send one job; False if the printer did not take it and it waits in the queue again."""
        try:
            self.status = await printer.status()
        except BodegaError as error:
            return self._note_trouble(error.message)
        if not self.status.ready:
            return self._note_trouble(self.status.detail or "not ready")
        sending = await self._store.write(lambda tx: _send(tx, job.print_job_id))
        if sending is None:
            return True
        label = render(LabelDocument.from_bytes(sending.document), printer.abilities)
        receipt = await printer.print_label(label)
        event = _EVENT_OF[receipt.outcome]
        state = await self._store.write(lambda tx: _settle(tx, sending, event, receipt.detail))
        with bound(fulfillment_order_id=job.fulfillment_order_id):
            log.info("label_printed", sscc=job.sscc, state=state, copy=job.copy)
        await self._changed(job.fulfillment_order_id, job.sscc, state)
        if event is PrintEvent.REFUSED_BEFORE_FIRST_BYTE:
            return self._note_trouble(receipt.detail)
        self.trouble = ""
        return True

    def _note_trouble(self, detail: str) -> bool:
        if detail != self.trouble:
            log.warning("printer_not_ready", detail=detail)
        self.trouble = detail
        return False

    async def _back_off(self, misses: int) -> None:
        ceiling = min(DEVICE_BACKOFF_MAX_S, DEVICE_BACKOFF_BASE_S * 2 ** min(misses, 10))
        await asyncio.sleep(random.uniform(0, ceiling))  # noqa: S311  # jitter, not a secret

    async def close(self) -> None:
        """Release the printer."""
        if self._printer is not None:
            await self._printer.close()


def _context() -> Context:
    return Context(cmd_id=str(uuid4()), actor="system", device="printer")


def _send(tx: Transaction, print_job_id: str) -> labels.PrintJob | None:
    """Make `sent` durable, unless the job was voided since; the job as it is now being sent."""
    job = labels.next_queued(tx)
    if job is None or job.print_job_id != print_job_id:
        return None
    labels.advance(tx, _context(), job, PrintEvent.SEND)
    return labels.latest_for(tx, job.sscc)


def _settle(tx: Transaction, sending: labels.PrintJob, event: PrintEvent, detail: str) -> PrintState:
    """Record what became of it. A label that was scanned back meanwhile is confirmed already."""
    job = labels.latest_for(tx, sending.sscc)
    assert job is not None, "a job that was sent is in the table"
    if job.state is not PrintState.SENT or job.print_job_id != sending.print_job_id:
        return job.state
    return labels.advance(tx, _context(), job, event, detail)

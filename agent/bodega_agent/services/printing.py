"""Labels: queued in the store, sent once, and honestly in doubt when nobody can know.

A job is sent from `queued` alone, and `queued` is proof that no byte of it has left: the step to `sent` is durable
after the printer has said that it is ready and before the first byte. So a printer that is not ready, or another one
that stands in for it, costs no doubt; a driver's "failed" (provably nothing reached the printer) alone puts a job
back; what is refused for good is `failed`; anything less certain is `unknown` and waits for a person.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from bodega.core.lifecycles import PrintEvent, PrintState
from bodega.errors import BodegaError, InvalidInput, Unavailable
from bodega.host.log import bound, get_logger
from bodega.limits import DEVICE_BACKOFF_BASE_S, DEVICE_BACKOFF_MAX_S
from bodega_adapters.labels.document import PACKING_SLIP, LabelDocument
from bodega_adapters.labels.press import Press
from bodega_adapters.ports import PrintReceipt
from bodega_agent.services.stations import LABELS, RECEIPTS, Station, before
from bodega_agent.store import labels
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction

if TYPE_CHECKING:
    from bodega_adapters.labels.making import Made

log = get_logger(__name__)

_EVENT_OF = {
    "confirmed": PrintEvent.CONFIRM,
    "unknown": PrintEvent.LOSE_TRACK,
    "failed": PrintEvent.REFUSED_BEFORE_FIRST_BYTE,
    "refused": PrintEvent.REFUSED_FOR_GOOD,
}

Changed = Callable[[str, str, PrintState], Awaitable[None]]


class PrintService:
    """The node's printers, each with one job at a time.

    `changed(fulfillment_order_id, sscc, state)` tells the floor.
    """

    def __init__(
        self, store: Store, stations: Sequence[Station], changed: Changed, press: Press | None = None
    ) -> None:
        self._store = store
        self._press = press or Press()
        self.stations = tuple(stations)
        self._changed = changed

    def wake(self) -> None:
        """There may be a job, or a printer that has come back."""
        for station in self.stations:
            station.work.set()

    async def run(self) -> None:
        """Until cancelled. First of all, what was being sent when the agent stopped becomes `unknown`."""
        lost = await self._store.write(lambda tx: labels.lose_track_of_sent(tx, _context("")))
        for doubtful in lost:
            log.warning("label_unknown_after_restart", sscc=doubtful.sscc)
            if doubtful.paper is labels.Paper.LABEL:
                await self._changed(doubtful.fulfillment_order_id, doubtful.sscc, PrintState.UNKNOWN)
        async with asyncio.TaskGroup() as group:
            for station in self.stations:
                group.create_task(self._serve(station))

    async def close(self) -> None:
        """Release the printers."""
        for station in self.stations:
            await station.printer.close()

    async def _serve(self, station: Station) -> None:
        tries = 0
        while True:
            station.work.clear()
            job = await self._store.write(lambda tx: labels.next_queued(tx, self._suits(station)))
            if job is None:
                if station.unfit:
                    # What waits is another printer's still, which may look much later.
                    station.unfit &= await self._store.write(labels.queued)
                await station.work.wait()
            elif await self._print(station, job):
                tries = 0
            else:
                tries += 1
                await self._wait_until_ready(station, tries)

    def _suits(self, station: Station) -> Callable[[labels.PrintJob], bool]:
        """Which jobs this printer takes now."""
        earlier = before(station, self.stations)

        def suits(job: labels.PrintJob) -> bool:
            return (
                job.print_job_id not in station.unfit
                and _prints(job) == station.prints
                and all(one.is_out or job.print_job_id in one.unfit for one in earlier)
            )

        return suits

    async def _print(self, station: Station, job: labels.PrintJob) -> bool:
        """Send one job; False if the printer did not take it and it waits in the queue again."""
        try:
            made = await self._made(station, job)
        except Unavailable as error:
            self._miss(station, error.message)
            return False
        if made.faults and await self._fits_another(station, job):
            station.unfit.add(job.print_job_id)
            self.wake()
            return True
        if made.faults:
            refused = PrintReceipt("refused", "; ".join(map(str, made.faults)))
            await self._settle(station, job, refused, sent=False)
            return True
        if made.losses:
            lost = "; ".join(map(str, made.losses))
            log.warning("label_not_whole", sscc=job.sscc, device=station.name, detail=lost)
        return await self._send(station, job, made.data)

    async def _made(self, station: Station, job: labels.PrintJob) -> Made:
        """The label in this printer's language, off the event loop; raises `Unavailable` as `abilities` do."""
        return await asyncio.to_thread(self._press.make, job.document, station.printer.abilities)

    async def _fits_another(self, station: Station, job: labels.PrintJob) -> bool:
        """Whether a printer beside this one could print the job; one that was never open may."""
        for one in self.stations:
            if one is not station and one.prints == station.prints:
                try:
                    made = await self._made(one, job)
                except Unavailable:
                    return True
                if not made.faults:
                    return True
        return False

    async def _send(self, station: Station, job: labels.PrintJob, label: bytes) -> bool:
        sent = taken_back = False

        async def starting() -> bool:
            nonlocal sent, taken_back
            sent = await self._store.write(lambda tx: _send(tx, job, station.name))
            taken_back = not sent
            return sent

        try:
            receipt = await station.printer.print_label(label, starting)
        except InvalidInput as error:
            receipt = PrintReceipt("unknown" if sent else "refused", error.message)
        except BodegaError as error:
            receipt = PrintReceipt("unknown" if sent else "failed", error.message)
        if taken_back:
            return True
        if receipt.outcome == "failed" and not sent:
            self._miss(station, receipt.detail)
            return False
        await self._settle(station, job, receipt, sent=sent)
        if receipt.outcome == "failed":
            self._miss(station, receipt.detail)
            return False
        if receipt.outcome == "confirmed":
            station.went_well()
        return True

    async def _settle(
        self, station: Station, job: labels.PrintJob, receipt: PrintReceipt, *, sent: bool
    ) -> None:
        """Make the outcome durable, and tell the floor."""
        event = _EVENT_OF[receipt.outcome]
        state = await self._store.write(
            lambda tx: _outcome(tx, _context(station.name), job, event, receipt.detail, sent=sent)
        )
        with bound(fulfillment_order_id=job.fulfillment_order_id):
            log.info("label_printed", sscc=job.sscc, state=state, copy=job.copy, device=station.name)
        if job.paper is labels.Paper.LABEL:
            await self._changed(job.fulfillment_order_id, job.sscc, state)

    async def _wait_until_ready(self, station: Station, tries: int) -> None:
        """Rest, longer with every try, and ask; the job waits in the queue, and another printer may take it."""
        ceiling = min(DEVICE_BACKOFF_MAX_S, DEVICE_BACKOFF_BASE_S * 2 ** min(tries, 10))
        await asyncio.sleep(random.uniform(0, ceiling))  # noqa: S311  # jitter, not a secret
        was_out = station.is_out
        try:
            station.says(await station.printer.status())
        except BodegaError as error:
            self._miss(station, error.message)
        self._wake_if_changed(station, was_out)

    def _miss(self, station: Station, detail: str) -> None:
        if detail != station.trouble:
            log.warning("printer_not_ready", device=station.name, detail=detail)
        was_out = station.is_out
        station.missed(detail)
        self._wake_if_changed(station, was_out)

    def _wake_if_changed(self, station: Station, was_out: bool) -> None:
        """Another printer has to stand in, or has not to any more."""
        if station.is_out != was_out:
            self.wake()


def _context(printer: str) -> Context:
    return Context(cmd_id=str(uuid4()), actor="system", device=printer or "printer")


def _prints(job: labels.PrintJob) -> str:
    """Which printers a job is for; a document that can not be read is refused by a printer of labels."""
    try:
        kind = LabelDocument.from_bytes(job.document).kind
    except InvalidInput:
        return LABELS
    return RECEIPTS if kind == PACKING_SLIP else LABELS


def _send(tx: Transaction, job: labels.PrintJob, printer: str) -> bool:
    """Make `sent` durable; False if the job was voided, or taken by another printer, since."""
    now = labels.job_of(tx, job.print_job_id)
    if now is None or now.state is not PrintState.QUEUED:
        return False
    labels.advance(tx, _context(printer), now, PrintEvent.SEND, f"sent to {printer}")
    return True


def _outcome(
    tx: Transaction, context: Context, job: labels.PrintJob, event: PrintEvent, detail: str, *, sent: bool
) -> PrintState:
    """Record what became of it. A label that was scanned back meanwhile is confirmed already."""
    now = labels.job_of(tx, job.print_job_id)
    assert now is not None, "a job that was printed is in the table"
    if now.state is PrintState.QUEUED and event is PrintEvent.REFUSED_FOR_GOOD:
        return labels.advance(tx, context, now, event, detail)
    if now.state is PrintState.QUEUED and not sent:
        # The driver printed without asking: nobody may print this again.
        labels.advance(tx, context, now, PrintEvent.SEND)
        now = labels.job_of(tx, job.print_job_id)
        assert now is not None, "it was there a moment ago"
    if now.state is not PrintState.SENT:
        return now.state
    return labels.advance(tx, context, now, event, detail)

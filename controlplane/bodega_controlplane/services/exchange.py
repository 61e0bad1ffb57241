"""Carries files: orders and catalogues from a shop into the hub, answers and shipments back.

Each order is a transaction of its own, and its reference is taken in it: a file that comes twice, is taken over
after a crash, or is worked on by two instances at once, places no order twice. It is put away after its answers are
written; what can not be done now (the database is away) leaves it where it is, and it is taken over later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from functools import partial
from hashlib import sha256

from bodega.errors import BodegaError, FieldFault, IdempotencyMismatch, InFlight, InvalidInput, Unavailable
from bodega.host.log import get_logger
from bodega.host.tasks import end
from bodega.limits_hub import (
    EXCHANGE_FILE_BYTES_MAX,
    EXCHANGE_FILES_PER_LOOK_MAX,
    EXCHANGE_KEEP_ALIVE_S,
    EXCHANGE_LOOK_S,
)
from bodega_controlplane.app.exchanging import news, placing
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import OrderDraft
from bodega_controlplane.exchange.answers import Answer, Outcome
from bodega_controlplane.exchange.catalogue import take_catalogue
from bodega_controlplane.exchange.order_files import FiledOrder, Find, read_orders
from bodega_controlplane.exchange.ports import Arrived, Exchange, Outgoing
from bodega_controlplane.services.attempts import attempt
from bodega_controlplane.store import exchange as rows

log = get_logger(__name__)

ACTOR = "exchange"


class ExchangeService:
    """Runs for as long as the control plane does. `find`: where a postal code is; `channel`: whose orders they are."""

    def __init__(
        self,
        hub: Hub,
        exchange: Exchange,
        channel: str,
        find: Find,
        *,
        keep_s: float,
        every_s: float = EXCHANGE_LOOK_S,
    ) -> None:
        self._hub = hub
        self._exchange = exchange
        self._channel = channel
        self._find = find
        self._keep_s = keep_s
        self._every_s = every_s

    async def run(self) -> None:
        """Until cancelled; what fails is tried again."""
        while True:
            with attempt("exchange_waits"):
                try:
                    await self.round()
                except OSError as error:
                    raise Unavailable(f"{error.strerror}: {error.filename}") from error
            await asyncio.sleep(self._every_s)

    async def round(self) -> None:
        """What the shop has put there, what it has not been told, what is too old to be kept."""
        for _ in range(EXCHANGE_FILES_PER_LOOK_MAX):
            arrived = await self._exchange.take()
            if arrived is None:
                break
            await self._work_on(arrived)
        await self._tell()
        await self._exchange.tidy(self._keep_s)

    async def _work_on(self, arrived: Arrived) -> None:
        alive = asyncio.create_task(self._keep_alive(arrived))
        try:
            answer = await self._answer(arrived)
        finally:
            await end([alive])
        good = any(one.outcome == "accepted" for one in answer.outcomes)
        await self._exchange.put_away(arrived, answer.files(arrived), good=good)
        log.info("exchange_file", name=arrived.name, outcomes=len(answer.outcomes), faults=len(answer.faults))

    async def _keep_alive(self, arrived: Arrived) -> None:
        while True:
            await asyncio.sleep(EXCHANGE_KEEP_ALIVE_S)
            with contextlib.suppress(OSError):  # whatever it is, putting the file away meets it too
                await self._exchange.keep_alive(arrived)

    async def _answer(self, arrived: Arrived) -> Answer:
        answer = Answer()
        name = arrived.name.lower()
        try:
            text = _text_of(arrived)
            if name.startswith("orders") and name.endswith((".csv", ".json")):
                await self._take_orders(read_orders(text, is_csv=name.endswith(".csv")), answer)
            elif name.startswith(("catalogue", "catalog")) and name.endswith((".csv", ".json")):
                caller = self._hub.caller(ACTOR, self._channel)
                await take_catalogue(self._hub, caller, text, answer, is_csv=name.endswith(".csv"))
            else:
                problem = "must be called orders... or catalogue..., and end in .csv or .json"
                answer.faults.append(("", FieldFault("file", problem)))
        except InvalidInput as error:
            answer.faults += [("", fault) for fault in error.faults or (FieldFault("file", error.message),)]
        return answer

    async def _take_orders(self, orders: list[FiledOrder], answer: Answer) -> None:
        for order in orders:
            try:
                answer.outcomes.append(await self._place(order, order.draft(self._find)))
            except (InFlight, Unavailable):
                raise
            except IdempotencyMismatch as error:
                fault = FieldFault("reference", "was used for another order", *order.lines[:1])
                answer.refuse(order.reference, error, (fault,))
            except BodegaError as error:
                answer.refuse(order.reference, error, [order.at_row(fault) for fault in error.faults])

    async def _place(self, order: FiledOrder, draft: OrderDraft) -> Outcome:
        caller, policy = self._hub.caller(ACTOR, self._channel), self._hub.policy
        said = json.dumps(order.values, sort_keys=True, separators=(",", ":"))
        digest = sha256(said.encode()).digest()
        taken = await self._hub.run(lambda tx: placing.place_once(tx, caller, draft, policy, digest))
        return Outcome(order.reference, "accepted", taken.order_id, taken.state.value)

    async def _tell(self) -> None:
        now_ms = self._hub.now_ms()
        while await self._hub.read(partial(news.there_are_some, channel=self._channel)):
            await self._hub.run(partial(news.gather, channel=self._channel, now_ms=now_ms))
        for row in await self._hub.read(partial(rows.files_to_write, channel=self._channel)):
            await self._exchange.send(Outgoing(news.file_name(row.number), bytes(row.body)))
            done = partial(rows.written, channel=self._channel, number=row.number, now_ms=now_ms)
            await self._hub.run(done)


def _text_of(arrived: Arrived) -> str:
    """Raises InvalidInput for what can not be read, is too large, or no text."""
    problem = arrived.problem
    if len(arrived.body) > EXCHANGE_FILE_BYTES_MAX:
        problem = f"is larger than {EXCHANGE_FILE_BYTES_MAX} bytes"
    try:
        text = arrived.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        problem = "is not UTF-8 text: save it as CSV UTF-8"
    if problem:
        raise InvalidInput("the file can not be read", faults=(FieldFault("file", problem),))
    return text

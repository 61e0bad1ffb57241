"""What the control socket can be asked: `bodega` commands and hand-helds call these by name."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import AsyncGenerator
from typing import Any

from bodega.core.commands import decode
from bodega.errors import FieldFault, InvalidInput
from bodega.limits import ARCHIVE_OLDER_THAN_S, SCAN_BYTES_MAX
from bodega.limits_floor import ORDERS_ANSWERED_MAX
from bodega_adapters.scanning import make_scan
from bodega_agent.services.archiving import ArchiveService
from bodega_agent.services.control import Answer, Json, Stream
from bodega_agent.services.floor import FloorService
from bodega_agent.services.health import HealthService
from bodega_agent.services.importing import ImportService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.services.printing import PrintService
from bodega_agent.services.prompts import PromptBoard, Shown
from bodega_agent.store import commands, count_rounds, proposals
from bodega_agent.store.decisions import NotAlone, keep
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction

_DAY_S = 24 * 3600


class Operations:
    """The control socket's vocabulary: `answers` by name, and `streams`."""

    def __init__(
        self,
        store: Store,
        floor: FloorService,
        board: PromptBoard,
        printing: PrintService,
        health: HealthService,
        integrity: IntegrityService,
        archives: ArchiveService,
    ) -> None:
        self._store = store
        self._floor = floor
        self._board = board
        self._printing = printing
        self._health = health
        self._importing = ImportService(store)
        self._integrity = integrity
        self._archives = archives
        self._typed = itertools.count(1)

    @property
    def answers(self) -> dict[str, Answer]:
        """One answer per request."""
        return {
            "status": self._status,
            "prompt": self._prompt,
            "scan": self._scan,
            "tasks": self._tasks,
            "orders": self._orders,
            "ledger.verify": self._verify,
            "ledger.command": self._command,
            "count.decide": self._decide_count,
            "ledger.import": self._importing.take,
            "catalog.propose": self._propose,
            "sync": self._sync,
        }

    @property
    def streams(self) -> dict[str, Stream]:
        """A line per change."""
        return {"watch": self._watch, "ledger.archive": self._archive}

    async def _status(self, _request: Json) -> Json:
        return await self._health.status()

    async def _sync(self, _request: Json) -> Json:
        counts = await self._store.read(Reader.counts)
        return {**self._health.sync_status(), "hub_events_parked": counts["hub_events_parked"]}

    async def _tasks(self, _request: Json) -> list[Json]:
        return await self._store.read(Reader.tasks)

    async def _orders(self, request: Json) -> list[Json]:
        """The order of `fulfillment_order_id`, or the newest: all of years would be more than a socket should carry."""
        if "fulfillment_order_id" in request:
            wanted = text_of(request, "fulfillment_order_id")
            return await self._store.read(lambda reader: reader.order(wanted))
        return await self._store.read(lambda reader: reader.orders(newest=ORDERS_ANSWERED_MAX))

    async def _verify(self, _request: Json) -> Json:
        return await self._integrity.verify()

    async def _archive(self, request: Json) -> AsyncGenerator[Json, None]:
        """A line per step, `{"step": "done"}` as the last."""
        days = request.get("older_than_days", ARCHIVE_OLDER_THAN_S / _DAY_S)
        if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days < math.inf:
            raise _fault("older_than_days", "must be a number that is not negative")
        async for step in self._archives.run(days * _DAY_S):
            yield step
        yield {"step": "done"}

    async def _command(self, request: Json) -> Json:
        """One ledger command, an object in `command`; done once for its `cmd_id`."""
        command = decode(request.get("command"))
        context = Context(command.cmd_id, actor="technician", device="control")
        try:
            result = await self._store.write(lambda tx: commands.run(tx, context, command))
        except NotAlone as refused:
            made = refused.made
            await self._store.write(lambda tx: keep(tx, made))
            raise
        # A parcel that was packed for an order has a label to print now.
        self._printing.wake()
        return result

    async def _decide_count(self, request: Json) -> Json:
        """A word on a count that waits: {booked}; done once for its `cmd_id`."""
        cmd_id, count_id, sku_id = (text_of(request, name) for name in ("cmd_id", "count_id", "sku_id"))
        lot, approved = request.get("lot") or "", request.get("approved")
        if not isinstance(lot, str) or not isinstance(approved, bool):
            raise _fault("approved", "must be true or false, and 'lot' a text")
        body = {
            "op": "count.decide",
            "count_id": count_id,
            "sku_id": sku_id,
            "lot": lot,
            "approved": approved,
        }
        who = Context(cmd_id, actor="technician", device="control")

        def work(tx: Transaction) -> Json:
            return tx.once(
                cmd_id,
                body,
                lambda: {"booked": count_rounds.decide(tx, who, count_id, sku_id, lot, approved=approved)},
            )

        return await self._store.write(work)

    async def _propose(self, request: Json) -> Json:
        """An edit of a record that the hub keeps; done once for its `cmd_id`."""
        cmd_id, kind, subject = (text_of(request, name) for name in ("cmd_id", "kind", "subject"))
        reason = text_of(request, "reason") if request.get("reason") else ""
        values = request.get("fields")
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise _fault("fields", "must be an object of texts")
        body = {"op": "catalog.propose", "kind": kind, "subject": subject, "fields": values, "reason": reason}

        def work(tx: Transaction) -> Json:
            who = Context(cmd_id, actor="technician", device="control")
            return tx.once(
                cmd_id,
                body,
                lambda: proposals.propose(tx, who, kind=kind, subject=subject, values=values, reason=reason),
            )

        return await self._store.write(work)

    async def _prompt(self, request: Json) -> Shown:
        device = text_of(request, "device")
        return self._board.current(device) or await self._floor.greet(device)

    def _watch(self, request: Json) -> AsyncGenerator[Shown, None]:
        return self._board.watch(text_of(request, "device") if "device" in request else None)

    async def _scan(self, request: Json) -> Shown:
        """One scan of a hand-held. One that may be sent again says `counter` and `counter_name` (`ports.Scan`)."""
        text = text_of(request, "text")
        raw = text.encode()
        if len(raw) > SCAN_BYTES_MAX:
            raise _fault("text", f"is longer than {SCAN_BYTES_MAX} bytes")
        typed = make_scan(
            raw,
            symbology=text_of(request, "symbology") if request.get("symbology") else None,
            device=text_of(request, "device"),
            counter=_number(request, "counter") if "counter" in request else next(self._typed),
            at_ms=time.time_ns() // 1_000_000,
            counter_name=text_of(request, "counter_name") if "counter" in request else "",
        )
        return await self._floor.handle(typed)


def text_of(request: Json, name: str) -> str:
    """A text of a request; raises `InvalidInput` if it is missing or empty."""
    value: Any = request.get(name)
    if not isinstance(value, str) or not value:
        raise _fault(name, "must be a text that is not empty")
    return value


def _number(request: Json, name: str) -> int:
    value: Any = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _fault(name, "must be a whole number from 1 on")
    return value


def _fault(name: str, problem: str) -> InvalidInput:
    return InvalidInput(f"'{name}' {problem}", faults=(FieldFault(name, problem),))

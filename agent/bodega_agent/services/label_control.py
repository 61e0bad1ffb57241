"""What people ask of labels over the control socket: the list, "it is there", another copy, another try."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from bodega.errors import InvalidInput
from bodega_agent.services.control import Answer
from bodega_agent.services.floor import FloorService
from bodega_agent.services.operations import text_of
from bodega_agent.services.printing import PrintService
from bodega_agent.store import labels
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction

Json = dict[str, Any]
_Work = Callable[[Transaction, Context], labels.PrintJob]


class LabelControl:
    """Operations on print jobs; each is done once for its `cmd_id`, and the hand-held that packed the parcel hears."""

    def __init__(self, store: Store, printing: PrintService, floor: FloorService) -> None:
        self._store = store
        self._printing = printing
        self._floor = floor

    @property
    def answers(self) -> dict[str, Answer]:
        """One answer per request."""
        return {
            "labels": self._labels,
            "reprint": self._reprint,
            "labels.confirm": self._confirm,
            "labels.retry": self._retry,
            "labels.carrier": self._carrier,
        }

    async def _labels(self, _request: Json) -> list[Json]:
        return await self._store.read(Reader.labels)

    async def _reprint(self, request: Json) -> Json:
        sscc, reason = text_of(request, "sscc"), text_of(request, "reason")
        paper = _paper_in(request)
        body = {"op": "reprint", "sscc": sscc, "reason": reason, **_named(paper)}
        return await self._once(request, body, lambda tx, who: labels.reprint(tx, who, sscc, reason, paper))

    async def _confirm(self, request: Json) -> Json:
        sscc = text_of(request, "sscc")
        paper = _paper_in(request)
        body = {"op": "labels.confirm", "sscc": sscc, **_named(paper)}
        return await self._once(request, body, lambda tx, who: labels.seen(tx, who, sscc, paper))

    async def _retry(self, request: Json) -> Json:
        sscc = text_of(request, "sscc")
        paper = _paper_in(request)
        body = {"op": "labels.retry", "sscc": sscc, **_named(paper)}
        return await self._once(request, body, lambda tx, who: labels.retry(tx, who, sscc, paper))

    async def _carrier(self, request: Json) -> Json:
        sscc, content = text_of(request, "sscc"), _content_in(request)
        body = {"op": "labels.carrier", "sscc": sscc, "sha256": hashlib.sha256(content).hexdigest()}
        return await self._once(
            request, body, lambda tx, who: labels.queue_carrier_label(tx, who, sscc, content)
        )

    async def _once(self, request: Json, body: Json, work: _Work) -> Json:
        cmd_id = text_of(request, "cmd_id") if "cmd_id" in request else str(uuid4())
        who = Context(cmd_id, actor="technician", device="control")
        told: list[labels.PrintJob] = []

        def done(tx: Transaction) -> Json:
            told.append(work(tx, who))
            return _job(told[-1])

        answer = await self._store.write(lambda tx: tx.once(cmd_id, body, lambda: done(tx)))
        self._printing.wake()
        if told and told[-1].paper is labels.Paper.LABEL:
            job = told[-1]
            await self._floor.label_changed(job.fulfillment_order_id, job.sscc, job.state)
        return answer


def _paper_in(request: Json) -> labels.Paper:
    name = request.get("paper", "label")
    known = {paper.name.lower(): paper for paper in labels.Paper}
    if name not in known:
        raise InvalidInput(f"there is no paper '{name}'", hint=f"use one of: {', '.join(known)}")
    return known[name]


def _named(paper: labels.Paper) -> Json:
    """As it stands in a command's body; a label needs no word, so that commands of older versions stay the same."""
    return {} if paper is labels.Paper.LABEL else {"paper": paper.name.lower()}


def _content_in(request: Json) -> bytes:
    try:
        return base64.b64decode(text_of(request, "content"), validate=True)
    except binascii.Error as error:
        raise InvalidInput(
            f"the label is no base64: {error}", hint="bodega labels carrier sends it"
        ) from error


def _job(job: labels.PrintJob) -> Json:
    return {"print_job_id": job.print_job_id, "sscc": job.sscc, "state": job.state, "copy": job.copy}

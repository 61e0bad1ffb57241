"""Parcels and what is printed for them: an SSCC from the node's own range, one label, and no blind reprint.

Beside its label a parcel may have a packing slip, and a label that its carrier has made. A job is durable before its
first byte leaves (`sent`), so a power cut leaves at worst `unknown`, which a person resolves by scanning the label back
or by an explicit, counted reprint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from bodega.core.ledger import Reference, parcel_place, stage_of
from bodega.core.lifecycles import PRINT_JOB, PrintEvent, PrintState
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.limits import SSCC_SERIALS_SKIPPED, TEXT_CHARS_MAX
from bodega.v1 import journal_pb2
from bodega_adapters.labels import document
from bodega_agent.rules.floor.pack.sscc import SsccRange, next_sscc
from bodega_agent.store import catalogue, ledger, papers, work
from bodega_agent.store.transaction import Context, Row, Transaction


class Paper(StrEnum):
    """What a job prints for a parcel: the middle of its id, "<sscc>-<paper><copy>". Only a label is scanned back."""

    LABEL = ""
    SLIP = "slip-"
    CARRIER = "carrier-"


@dataclass(frozen=True, slots=True)
class PrintJob:
    """One label on its way to paper; `copy` is 1 for the first, higher after counted reprints.

    `document` is a `LabelDocument` as bytes: it becomes the printer's language when it is sent.
    """

    print_job_id: str
    sscc: str
    fulfillment_order_id: str
    state: PrintState
    copy: int
    detail: str
    document: bytes
    updated_at_ms: int

    @property
    def paper(self) -> Paper:
        """What it prints."""
        return paper_of(self.print_job_id)


def paper_of(print_job_id: str) -> Paper:
    """What the job of this id prints."""
    middle = print_job_id.partition("-")[2]
    return next((one for one in (Paper.SLIP, Paper.CARRIER) if middle.startswith(one)), Paper.LABEL)


_COLUMNS = "print_job_id, sscc, fulfillment_order_id, state, copy, detail, document, updated_at_ms"
# In the words of the index: SQLite takes a partial index only where its condition is said again, and without it every
# print would read every label that was ever printed.
_ON_THE_WAY = "state IN ('queued', 'sent')"


def pack(tx: Transaction, context: Context, fulfillment_order_id: str, sscc: str) -> None:
    """Close the parcel (stage -> parcel) under `sscc`, which must be `peek_sscc`, and queue its label."""
    _use_sscc(tx, sscc)
    ledger.move(
        tx,
        context,
        "pack",
        work.staged_goods(tx, stage_of(fulfillment_order_id)),
        source_bin=stage_of(fulfillment_order_id),
        target_bin=parcel_place(sscc),
        reference=Reference(fulfillment_order_id, sscc),
    )
    tx.execute(
        "UPDATE fulfillment_order SET sscc = ? WHERE fulfillment_order_id = ?", (sscc, fulfillment_order_id)
    )
    _queue(tx, context, fulfillment_order_id, sscc, papers.label_of(tx, fulfillment_order_id, sscc))


def queue_slip(tx: Transaction, context: Context, fulfillment_order_id: str, sscc: str) -> None:
    """A packing slip for a parcel that is closed, on the printer of receipts."""
    _queue(
        tx, context, fulfillment_order_id, sscc, papers.slip_of(tx, fulfillment_order_id, sscc), Paper.SLIP
    )


def queue_carrier_label(tx: Transaction, context: Context, sscc: str, content: bytes) -> PrintJob:
    """A label that the carrier has made (PNG or PDF), beside the parcel's own.

    Raises NotFound without a parcel of that number, InvalidInput for a file that is none, Refused while one is on its
    way.
    """
    order = work.find_by_sscc(tx, sscc)
    if order is None:
        raise NotFound(f"no parcel of this node has SSCC {sscc}", hint="bodega orders")
    before = latest_for(tx, sscc, Paper.CARRIER)
    if before is not None and before.state in (PrintState.QUEUED, PrintState.SENT):
        raise Refused(f"a label of the carrier for {sscc} is on its way already", hint="bodega labels ls")
    kept = document.image(content).to_bytes()
    copy = before.copy + 1 if before else 1
    return _queue(tx, context, order.fulfillment_order_id, sscc, kept, Paper.CARRIER, copy=copy)


def peek_sscc(tx: Transaction) -> str:
    """The SSCC that the next parcel will get; empty if the node has no range or has used it up."""
    try:
        return _next_sscc(tx)[0]
    except Refused:
        return ""


def _next_sscc(tx: Transaction) -> tuple[str, int]:
    profile = catalogue.profile_of(tx)
    if profile is None or not profile.sscc_range.company_prefix:
        raise Refused("this node has no SSCC range yet", hint="register the node: bodegactl nodes register")
    given = profile.sscc_range
    numbers = SsccRange(given.extension, given.company_prefix, given.first_serial, given.last_serial)
    return next_sscc(numbers, tx.get("sscc_last_serial"))


def _use_sscc(tx: Transaction, sscc: str) -> None:
    following, serial = _next_sscc(tx)
    assert sscc == following, "an SSCC is used in the transaction that peeked it"
    tx.put("sscc_last_serial", serial)


def skip_ssccs(tx: Transaction, last_serial: int) -> None:
    """Parcels of days that this ledger has lost may carry the numbers after `last_serial`: go on well behind them.

    Of a range that is nearly used up, at most half of the rest is skipped.
    """
    profile = catalogue.profile_of(tx)
    room = profile.sscc_range.last_serial - last_serial if profile else 0
    tx.put("sscc_last_serial", last_serial + min(SSCC_SERIALS_SKIPPED, max(0, room) // 2))


def number_unit(tx: Transaction, context: Context, sscc: str, label: bytes) -> None:
    """A pallet or tote gets its number, which must be `peek_sscc`, and its `label` (a `LabelDocument`) is queued."""
    _use_sscc(tx, sscc)
    _queue(tx, context, "", sscc, label)


def _queue(
    tx: Transaction,
    context: Context,
    fulfillment_order_id: str,
    sscc: str,
    kept: bytes,
    paper: Paper = Paper.LABEL,
    *,
    copy: int = 1,
    detail: str = "",
) -> PrintJob:
    job = PrintJob(
        f"{sscc}-{paper}{copy}",
        sscc,
        fulfillment_order_id,
        PRINT_JOB.start,
        copy,
        detail,
        kept,
        tx.now_ms(),
    )
    seq = tx.append(context, label_advanced=_label_event(job, "queued"))
    tx.execute(
        f"INSERT INTO print_job({_COLUMNS}, queued_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant
        (
            job.print_job_id,
            sscc,
            fulfillment_order_id,
            job.state,
            copy,
            detail,
            job.document,
            job.updated_at_ms,
            seq,
        ),
    )
    return job


def _label_event(job: PrintJob, event: str) -> journal_pb2.LabelAdvanced:
    return journal_pb2.LabelAdvanced(
        print_job_id=job.print_job_id,
        sscc=job.sscc,
        state=job.state,
        event=event,
        copy=job.copy,
        detail=job.detail[:TEXT_CHARS_MAX],
    )


def put_back(tx: Transaction, context: Context, job: PrintJob) -> PrintState:
    """Take a job over from another line of the journal. One that had not ended is in doubt, never printed blindly."""
    doubtful = job.state in (PrintState.QUEUED, PrintState.SENT)
    state = PrintState.UNKNOWN if doubtful else job.state
    detail = "the node has lost track of it" if doubtful else job.detail
    seq = tx.append(
        context, label_advanced=_label_event(replace(job, state=state, detail=detail), PrintEvent.LOSE_TRACK)
    )
    tx.execute(
        f"INSERT OR REPLACE INTO print_job({_COLUMNS}, queued_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant
        (
            job.print_job_id,
            job.sscc,
            job.fulfillment_order_id,
            state,
            job.copy,
            detail,
            job.document,
            job.updated_at_ms,
            seq,
        ),
    )
    return state


def next_queued(tx: Transaction, suits: Callable[[PrintJob], bool] = lambda _job: True) -> PrintJob | None:
    """The oldest job that waits for a printer and suits the one that asks."""
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM print_job WHERE {_ON_THE_WAY} AND state = 'queued' ORDER BY queued_seq"  # noqa: S608  # constants
    )
    return next(filter(suits, map(_job, rows)), None)


def queued(tx: Transaction) -> set[str]:
    """Every job that waits for a printer, by its id."""
    rows = tx.execute(f"SELECT print_job_id FROM print_job WHERE {_ON_THE_WAY} AND state = 'queued'")  # noqa: S608  # constants
    return {str(job_id) for (job_id,) in rows}


def job_of(tx: Transaction, print_job_id: str) -> PrintJob | None:
    """One job."""
    row = tx.one(f"SELECT {_COLUMNS} FROM print_job WHERE print_job_id = ?", (print_job_id,))  # noqa: S608  # a constant
    return _job(row) if row else None


def latest_for(tx: Transaction, sscc: str, paper: Paper = Paper.LABEL) -> PrintJob | None:
    """The newest job of a parcel for that paper."""
    row = tx.one(
        f"SELECT {_COLUMNS} FROM print_job WHERE sscc = ?1 AND print_job_id = ?1 || '-' || ?2 || copy"  # noqa: S608  # a constant
        " ORDER BY copy DESC LIMIT 1",
        (sscc, paper),
    )
    return _job(row) if row else None


def advance(
    tx: Transaction, context: Context, job: PrintJob, event: PrintEvent, detail: str = ""
) -> PrintState:
    """Step a job's life cycle and record it; raises IllegalTransition."""
    state = PRINT_JOB.step(job.state, event)
    if state is job.state:
        return state
    now = tx.now_ms()
    tx.execute(
        "UPDATE print_job SET state = ?, detail = ?, updated_at_ms = ? WHERE print_job_id = ?",
        (state, detail[:TEXT_CHARS_MAX], now, job.print_job_id),
    )
    after = PrintJob(
        job.print_job_id, job.sscc, job.fulfillment_order_id, state, job.copy, detail, job.document, now
    )
    tx.append(context, label_advanced=_label_event(after, event))
    return state


def lose_track_of_sent(tx: Transaction, context: Context) -> list[PrintJob]:
    """After a restart nobody knows what became of jobs that were being sent; returns them as they were."""
    rows = tx.execute(f"SELECT {_COLUMNS} FROM print_job WHERE {_ON_THE_WAY} AND state = 'sent'")  # noqa: S608  # constants
    jobs = [_job(row) for row in rows]
    for job in jobs:
        advance(tx, context, job, PrintEvent.LOSE_TRACK, "the agent stopped while the label was being sent")
    return jobs


def scan_back(tx: Transaction, context: Context, sscc: str) -> None:
    """The label was read from the parcel: the strongest proof that it was printed."""
    job = _known(tx, sscc)
    if PRINT_JOB.allows(job.state, PrintEvent.SCAN_BACK):
        advance(tx, context, job, PrintEvent.SCAN_BACK)


def void_queued(tx: Transaction, context: Context, sscc: str) -> None:
    """The parcel is no more: what has not left the queue for it is not printed."""
    for paper in Paper:
        job = latest_for(tx, sscc, paper)
        if job is not None and PRINT_JOB.allows(job.state, PrintEvent.VOID):
            advance(tx, context, job, PrintEvent.VOID)


def seen(tx: Transaction, context: Context, sscc: str, paper: Paper = Paper.LABEL) -> PrintJob:
    """A person has looked and says that the label in doubt is there: it will not be printed again."""
    job = _known(tx, sscc, paper)
    if not PRINT_JOB.allows(job.state, PrintEvent.SEEN):
        raise Refused(
            f"the label of parcel {sscc} is not in doubt, it is {job.state}", hint="bodega labels ls"
        )
    advance(tx, context, job, PrintEvent.SEEN, f"seen by {context.actor}")
    return _known(tx, sscc, paper)


def reprint(
    tx: Transaction, context: Context, sscc: str, reason: str, paper: Paper = Paper.LABEL
) -> PrintJob:
    """A person asks for another copy, with a reason: counted, recorded, never automatic."""
    if not reason.strip():
        raise InvalidInput("a reprint needs a reason", hint='for example: --reason "label torn"')
    job = _known(tx, sscc, paper)
    advance(tx, context, job, PrintEvent.REPRINT, reason)
    # A pallet's label says nothing of an order, a carrier's is its own, and a slip is as it was: they stay so.
    order = job.fulfillment_order_id
    again = papers.label_of(tx, order, sscc) if order and paper is Paper.LABEL else job.document
    return _queue(tx, context, order, sscc, again, paper, copy=job.copy + 1, detail=reason)


def retry(tx: Transaction, context: Context, sscc: str, paper: Paper = Paper.LABEL) -> PrintJob:
    """What kept a failed label from paper is mended: a new copy, made from the parcel as it is now."""
    job = _known(tx, sscc, paper)
    if job.state is not PrintState.FAILED:
        raise Refused(
            f"the label of parcel {sscc} has not failed, it is {job.state}",
            hint=f"to print it again all the same: bodega labels reprint {sscc} --reason ...",
        )
    return reprint(tx, context, sscc, f"tried again after: {job.detail}"[:TEXT_CHARS_MAX], paper)


def _known(tx: Transaction, sscc: str, paper: Paper = Paper.LABEL) -> PrintJob:
    job = latest_for(tx, sscc, paper)
    if job is None:
        what = paper.name.lower()
        raise NotFound(f"no paper '{what}' was ever asked for with SSCC {sscc}", hint="bodega labels ls")
    return job


def _job(row: Row) -> PrintJob:
    return PrintJob(row[0], row[1], row[2], PrintState(row[3]), row[4], row[5], row[6], row[7])

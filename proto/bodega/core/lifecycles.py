"""The words for an order; the life of a fulfillment order, a print job, a reservation and a conflict, as tables.

Both ends use the same tables: the node steps its fulfillment orders as people scan, the hub steps
its copy as the journal arrives, so a disagreement is a bug in one place and not in two.
"""

from __future__ import annotations

from enum import StrEnum

from bodega.core.tables import StateTable


class OrderState(StrEnum):
    """The customer's order, as the storefront sees it. It has no table: it follows from its parts (`core.parts`)."""

    CONFIRMED = "confirmed"
    IN_FULFILLMENT = "in_fulfillment"
    CANCEL_REQUESTED = "cancel_requested"
    SHIPPED = "shipped"
    PARTIALLY_SHIPPED = "partially_shipped"
    UNFULFILLABLE = "unfulfillable"
    CANCELLED = "cancelled"
    READY_FOR_PICKUP = "ready_for_pickup"
    COLLECTED = "collected"
    PARTIALLY_COLLECTED = "partially_collected"
    NOT_COLLECTED = "not_collected"
    HANDED_BACK = "handed_back"
    BACKORDERED = "backordered"
    PREORDERED = "preordered"


class FulfillmentState(StrEnum):
    """What one node has been asked to ship."""

    ASSIGNED = "assigned"
    PICKING = "picking"
    PICKED = "picked"
    PACKED = "packed"
    LABELLED = "labelled"
    STAGED = "staged"
    SHIPPED = "shipped"
    COLLECTED = "collected"
    CANCELLED = "cancelled"
    SHORT = "short"
    EXPIRED = "expired"
    HANDED_BACK = "handed_back"


class FulfillmentEvent(StrEnum):
    """What people at the node, or a cancel from the hub, do to it."""

    CLAIM = "claim"
    PICKS_DONE = "picks_done"
    NOTHING_FOUND = "nothing_found"
    PACK = "pack"
    VERIFY_LABEL = "verify_label"
    HAND_OVER = "hand_over"
    CANCEL = "cancel"
    HAND_BACK = "hand_back"
    VOID_PARCEL = "void_parcel"
    STAGE = "stage"
    COLLECT = "collect"
    EXPIRE = "expire"


# A parcel ends with the carrier, a pickup with the customer. `hand_back` gives the work to the hub again: only while
# nothing is packed, and always with a put-back of what was picked.
FULFILLMENT = StateTable(
    name="fulfillment",
    states=FulfillmentState,
    events=FulfillmentEvent,
    start=FulfillmentState.ASSIGNED,
    steps={
        (FulfillmentState.ASSIGNED, FulfillmentEvent.CLAIM): FulfillmentState.PICKING,
        (FulfillmentState.ASSIGNED, FulfillmentEvent.CANCEL): FulfillmentState.CANCELLED,
        (FulfillmentState.PICKING, FulfillmentEvent.PICKS_DONE): FulfillmentState.PICKED,
        (FulfillmentState.PICKING, FulfillmentEvent.NOTHING_FOUND): FulfillmentState.SHORT,
        (FulfillmentState.PICKING, FulfillmentEvent.CANCEL): FulfillmentState.CANCELLED,
        (FulfillmentState.PICKED, FulfillmentEvent.PACK): FulfillmentState.PACKED,
        (FulfillmentState.PICKED, FulfillmentEvent.CANCEL): FulfillmentState.CANCELLED,
        (FulfillmentState.PACKED, FulfillmentEvent.VERIFY_LABEL): FulfillmentState.LABELLED,
        (FulfillmentState.PACKED, FulfillmentEvent.CANCEL): FulfillmentState.CANCELLED,
        (FulfillmentState.LABELLED, FulfillmentEvent.HAND_OVER): FulfillmentState.SHIPPED,
        (FulfillmentState.LABELLED, FulfillmentEvent.CANCEL): FulfillmentState.CANCELLED,
        (FulfillmentState.ASSIGNED, FulfillmentEvent.HAND_BACK): FulfillmentState.HANDED_BACK,
        (FulfillmentState.PICKING, FulfillmentEvent.HAND_BACK): FulfillmentState.HANDED_BACK,
        (FulfillmentState.PICKED, FulfillmentEvent.HAND_BACK): FulfillmentState.HANDED_BACK,
        # The box is opened again: another carton, another carrier, or a wrong item in it.
        (FulfillmentState.PACKED, FulfillmentEvent.VOID_PARCEL): FulfillmentState.PICKED,
        (FulfillmentState.LABELLED, FulfillmentEvent.VOID_PARCEL): FulfillmentState.PICKED,
        (FulfillmentState.LABELLED, FulfillmentEvent.STAGE): FulfillmentState.STAGED,
        (FulfillmentState.STAGED, FulfillmentEvent.COLLECT): FulfillmentState.COLLECTED,
        (FulfillmentState.STAGED, FulfillmentEvent.EXPIRE): FulfillmentState.EXPIRED,
        (FulfillmentState.STAGED, FulfillmentEvent.CANCEL): FulfillmentState.CANCELLED,
    },
    terminal=frozenset(
        {
            FulfillmentState.SHIPPED,
            FulfillmentState.COLLECTED,
            FulfillmentState.CANCELLED,
            FulfillmentState.SHORT,
            FulfillmentState.EXPIRED,
            FulfillmentState.HANDED_BACK,
        }
    ),
)


class PrintState(StrEnum):
    """A label's way to paper. `unknown` is an honest answer and never leads to a blind reprint.

    `queued` is the only state from which bytes are sent, and proof that none has been. `failed` can not be printed as
    it is, and provably was not.
    """

    QUEUED = "queued"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPERSEDED = "superseded"
    VOIDED = "voided"


class PrintEvent(StrEnum):
    """What the printer, the power or a person do to a print job."""

    SEND = "send"
    CONFIRM = "confirm"
    REFUSED_BEFORE_FIRST_BYTE = "refused_before_first_byte"
    REFUSED_FOR_GOOD = "refused_for_good"
    LOSE_TRACK = "lose_track"
    SCAN_BACK = "scan_back"
    SEEN = "seen"
    REPRINT = "reprint"
    VOID = "void"


PRINT_JOB = StateTable(
    name="print_job",
    states=PrintState,
    events=PrintEvent,
    start=PrintState.QUEUED,
    steps={
        (PrintState.QUEUED, PrintEvent.SEND): PrintState.SENT,
        # Preflight: what is asked for does not fit this printer, and never will.
        (PrintState.QUEUED, PrintEvent.REFUSED_FOR_GOOD): PrintState.FAILED,
        # The parcel was cancelled before its label left the queue.
        (PrintState.QUEUED, PrintEvent.VOID): PrintState.VOIDED,
        (PrintState.SENT, PrintEvent.CONFIRM): PrintState.CONFIRMED,
        # Provably nothing reached the printer: the only way back into the queue.
        (PrintState.SENT, PrintEvent.REFUSED_BEFORE_FIRST_BYTE): PrintState.QUEUED,
        # The printer itself has answered that it does not print this.
        (PrintState.SENT, PrintEvent.REFUSED_FOR_GOOD): PrintState.FAILED,
        (PrintState.SENT, PrintEvent.LOSE_TRACK): PrintState.UNKNOWN,
        (PrintState.SENT, PrintEvent.SCAN_BACK): PrintState.CONFIRMED,
        (PrintState.UNKNOWN, PrintEvent.SCAN_BACK): PrintState.CONFIRMED,
        # A person has looked, and says that it is there.
        (PrintState.UNKNOWN, PrintEvent.SEEN): PrintState.CONFIRMED,
        # A person decides, with a reason: this job ends, and a new, counted one takes its place.
        (PrintState.UNKNOWN, PrintEvent.REPRINT): PrintState.SUPERSEDED,
        (PrintState.CONFIRMED, PrintEvent.SCAN_BACK): PrintState.CONFIRMED,
        (PrintState.CONFIRMED, PrintEvent.REPRINT): PrintState.SUPERSEDED,
        # The cause is mended: the new copy is counted like any other.
        (PrintState.FAILED, PrintEvent.REPRINT): PrintState.SUPERSEDED,
        (PrintState.FAILED, PrintEvent.VOID): PrintState.VOIDED,
    },
    terminal=frozenset({PrintState.SUPERSEDED, PrintState.VOIDED}),
)


class ReservationState(StrEnum):
    """A promise made to one order line, against rights that the promiser holds."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class ReservationEvent(StrEnum):
    """How a promise ends: goods leave the shelf for it, or it is given back."""

    POST = "post"
    VOID = "void"
    EXPIRE = "expire"


RESERVATION = StateTable(
    name="reservation",
    states=ReservationState,
    events=ReservationEvent,
    start=ReservationState.PENDING,
    steps={
        (ReservationState.PENDING, ReservationEvent.POST): ReservationState.POSTED,
        (ReservationState.PENDING, ReservationEvent.VOID): ReservationState.VOIDED,
        (ReservationState.PENDING, ReservationEvent.EXPIRE): ReservationState.EXPIRED,
    },
    terminal=frozenset({ReservationState.POSTED, ReservationState.VOIDED, ReservationState.EXPIRED}),
)


class OverrideState(StrEnum):
    """A rule that a person has set aside."""

    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"


class OverrideEvent(StrEnum):
    """How the rule comes into force again."""

    CLOSE = "close"
    EXPIRE = "expire"


OVERRIDE = StateTable(
    name="override",
    states=OverrideState,
    events=OverrideEvent,
    start=OverrideState.OPEN,
    steps={
        (OverrideState.OPEN, OverrideEvent.CLOSE): OverrideState.CLOSED,
        (OverrideState.OPEN, OverrideEvent.EXPIRE): OverrideState.EXPIRED,
    },
    terminal=frozenset({OverrideState.CLOSED, OverrideState.EXPIRED}),
)


class ConflictState(StrEnum):
    """Two facts that met: what is left for people to do about it."""

    OPEN = "open"
    SETTLED = "settled"
    RESOLVED = "resolved"
    OVERRIDDEN = "overridden"


class ConflictEvent(StrEnum):
    """What rules and people do to a conflict; an override ends by `reopen` if the row needs a person, else `settle`."""

    SETTLE = "settle"
    RESOLVE = "resolve"
    OVERRIDE = "override"
    REOPEN = "reopen"


CONFLICT = StateTable(
    name="conflict",
    states=ConflictState,
    events=ConflictEvent,
    start=ConflictState.OPEN,
    steps={
        # The rule has settled everything: nobody is asked.
        (ConflictState.OPEN, ConflictEvent.SETTLE): ConflictState.SETTLED,
        (ConflictState.OPEN, ConflictEvent.RESOLVE): ConflictState.RESOLVED,
        (ConflictState.OPEN, ConflictEvent.OVERRIDE): ConflictState.OVERRIDDEN,
        (ConflictState.SETTLED, ConflictEvent.OVERRIDE): ConflictState.OVERRIDDEN,
        (ConflictState.OVERRIDDEN, ConflictEvent.RESOLVE): ConflictState.RESOLVED,
        (ConflictState.OVERRIDDEN, ConflictEvent.REOPEN): ConflictState.OPEN,
        (ConflictState.OVERRIDDEN, ConflictEvent.SETTLE): ConflictState.SETTLED,
    },
    terminal=frozenset({ConflictState.RESOLVED}),
)

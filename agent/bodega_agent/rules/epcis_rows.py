"""The one table that says which GS1 EPCIS 2.0 event each ledger command is.

The CBV business step is the one that the movement recorded, unless the row knows better. An event has no negative
quantity: it says what was seen or done, and the disposition says what became of it. Why the rows are as they are:

- receiving is OBSERVE: ADD is for goods that get their identity in this very event (EPCIS 7.4.2), and so it is at a
  new identity only;
- a pick is a TransactionEvent: from now on these units belong to that order;
- packing and unpacking are AggregationEvents with the parcel as parent;
- a kit is a TransformationEvent, its parts being known by class only, and therefore not `assembling`: CBV 7.1 keeps
  that word for aggregations, whose parts are known one by one;
- what the hub has written off between two nodes is no event of either: nobody here has seen these units;
- missing units were not destroyed: they are OBSERVE, `unknown` (a count) or `unavailable` (written off), so that they
  may be seen again. Only scrap is DELETE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bodega.core.ledger import BizStep, Disposition


class Kind(StrEnum):
    """Classes of EPCIS events that we write (EPCIS 7.4)."""

    OBJECT = "ObjectEvent"
    AGGREGATION = "AggregationEvent"
    TRANSACTION = "TransactionEvent"
    TRANSFORMATION = "TransformationEvent"


class Action(StrEnum):
    """How an event relates to the life of what it names (EPCIS 7.3.2)."""

    ADD = "ADD"
    OBSERVE = "OBSERVE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Row:
    """What a command is in EPCIS.

    `biz_step`, where set, outranks the movement's. `disposition` is that of goods that leave the node; goods in it
    have the one that the ledger recorded. `makes` is the row of goods that come into being by the command.
    `as_parcel`: the parcel is named, and not its content once more.
    """

    kind: Kind = Kind.OBJECT
    action: Action = Action.OBSERVE
    biz_step: str = ""
    disposition: str = ""
    makes: Row | None = None
    as_parcel: bool = False


# Goods that are somewhere: the row of a command that says no more, and of commands of a newer version.
SEEN = Row()

MADE_CLASS = "creating_class_instance"
MADE_UNITS = "commissioning"

ROWS: Mapping[str, Row] = {
    "receive": SEEN,
    "put_away": SEEN,
    "move": SEEN,
    "pick": Row(Kind.TRANSACTION, Action.ADD),
    "pack": Row(Kind.AGGREGATION, Action.ADD),
    "unpack": Row(Kind.AGGREGATION, Action.DELETE),
    "ship": Row(disposition="in_transit", as_parcel=True),
    "collect": Row(disposition="retail_sold", as_parcel=True),
    "return": SEEN,
    "inspect": SEEN,
    "change_disposition": SEEN,
    "scrap": Row(action=Action.DELETE, disposition="destroyed"),
    "count_down": Row(disposition="unknown"),
    "count_up": SEEN,
    "adjust_down": Row(disposition="unavailable"),
    "adjust_up": SEEN,
    "kit": Row(Kind.TRANSFORMATION, biz_step=MADE_CLASS),
    "unkit": Row(Kind.TRANSFORMATION),
    "re_identify": Row(
        action=Action.DELETE,
        biz_step="decommissioning",
        disposition="inactive",
        makes=Row(action=Action.ADD, biz_step=MADE_CLASS),
    ),
    "transfer_out": Row(disposition="in_transit"),
    "transfer_in": SEEN,
    "post": Row(disposition="retail_sold"),
}

# What a scan has shown against the book, within any command: goods seen here, or not to be found any more.
AGAINST_THE_BOOK = Row(biz_step="cycle_counting", disposition="unknown")

# Words that a movement may say of itself; one of a newer version, or of nobody, stays out of the event.
BIZ_STEPS = frozenset[str](BizStep)
DISPOSITIONS = frozenset[str](Disposition)

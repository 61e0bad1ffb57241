"""What can happen to a session: a classified scan, or news from the camera, the printer or the hub.

The service decodes a raw scan (bodega_adapters.framing.gs1) and looks up GTIN and bin before it asks
the rules; a text that means nothing here arrives as `UnknownScan`, and is answered, never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from bodega.core.ledger import Entered
from bodega.core.lifecycles import PrintState
from bodega_agent.rules.floor.words import Word


class Kind(StrEnum):
    """The columns of the flow table: each control word is a kind of its own."""

    ITEM = "item"
    BIN = "bin"
    SSCC = "sscc"
    CARTON = "carton"
    TOTE = "tote"
    ORDER = "order"
    NOTICE = "notice"
    TRANSFER = "transfer"
    RETURN_ID = "return"
    TRACKING = "tracking"
    BADGE = "badge"
    PERSON = "person"
    NUMBER = "number"
    WORD = "word"
    TEXT = "text"
    UNKNOWN = "unknown"
    RECEIVE = "CMD-RECEIVE"
    PUTAWAY = "CMD-PUTAWAY"
    PICK = "CMD-PICK"
    SHORT = "CMD-SHORT"
    ACCEPT = "CMD-ACCEPT"
    PACK = "CMD-PACK"
    REPRINT = "CMD-REPRINT"
    HANDOVER = "CMD-HANDOVER"
    REPLENISH = "CMD-REPLENISH"
    BATCH = "CMD-BATCH"
    CART = "CMD-CART"
    SKIP = "CMD-SKIP"
    LOT = "CMD-LOT"
    FULL = "CMD-FULL"
    OVERRIDE = "CMD-OVERRIDE"
    HOLD = "CMD-HOLD"
    VOID = "CMD-VOID"
    MANIFEST = "CMD-MANIFEST"
    STAGE = "CMD-STAGE"
    COLLECT = "CMD-COLLECT"
    COUNT = "CMD-COUNT"
    RECONCILE = "CMD-RECONCILE"
    APPROVE = "CMD-APPROVE"
    RETURN = "CMD-RETURN"
    SEND = "CMD-SEND"
    ARRIVE = "CMD-ARRIVE"
    RESUME = "CMD-RESUME"
    SIGNOUT = "CMD-SIGNOUT"
    DONE = "CMD-DONE"
    CANCEL = "CMD-CANCEL"
    VERDICT = "verdict"
    PRINT = "print"
    CANCELLED = "cancelled"
    WEIGHT = "weight"


CONTROL_WORDS: dict[str, Kind] = {kind.value: kind for kind in Kind if kind.value.startswith("CMD-")}
NEWS = frozenset({Kind.VERDICT, Kind.PRINT, Kind.CANCELLED, Kind.WEIGHT})


class CheckOutcome(StrEnum):
    """What the camera said of a picked line; `waiting` until it has answered."""

    WAITING = "waiting"
    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class ItemScan:
    """A known product. `quantity` is in base units: AI 30 or 37, else 1, times what the unit of the GTIN holds.

    `lot`, `serial` and `expiry` (ISO 8601) are empty if the code carries none, and for a SKU that has no such
    thing, whatever the code says. `lacks_expiry`: the lot's expiry must be known, and nobody has said it yet;
    `expired`: its last day is over, and nobody has set that aside.
    `serial_place` is where in the node the book has this unit. `entered` is what a code of a larger unit said.
    """

    sku_id: str
    name: str
    gtin: str
    lot: str = ""
    quantity: int = 1
    lot_tracked: bool = False
    serial: str = ""
    serial_tracked: bool = False
    serial_place: str = ""
    expiry: str = ""
    lacks_expiry: bool = False
    expired: bool = False
    entered: Entered | None = None

    @property
    def serials(self) -> tuple[str, ...]:
        """The serial numbers of the goods, for the ledger."""
        return (self.serial,) if self.serial else ()

    @property
    def lacks_serial(self) -> bool:
        """Whether units would be booked without the serial numbers that they have."""
        return self.serial_tracked and (not self.serial or self.quantity != 1)


@dataclass(frozen=True, slots=True)
class BinScan:
    """A label of a bin that this node has."""

    bin_id: str


@dataclass(frozen=True, slots=True)
class SsccScan:
    """A parcel label, 18 digits."""

    sscc: str


@dataclass(frozen=True, slots=True)
class NamedScan:
    """A label that names one thing the node knows: `kind` is CARTON, TOTE, ORDER, NOTICE, TRANSFER, RETURN_ID,
    TRACKING, BADGE or PERSON (an associate's id, which anybody may type), `name` its identifier there (of a badge: the
    associate's; of a tracking number: the parcel's SSCC).
    """

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class NumberScan:
    """A short number, typed or scanned: a quantity, a weight in grams; 0 to 999,999."""

    value: int


@dataclass(frozen=True, slots=True)
class WordScan:
    """A short answer out of `words.Word`, typed or scanned."""

    word: Word


@dataclass(frozen=True, slots=True)
class TextScan:
    """Anything, at a step that asks for free text (`session.FREE_TEXT_STEPS`): a PIN, a pickup code. Never logged."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ControlScan:
    """A control barcode, the whole word such as "CMD-PICK"; a word that nobody knows is answered too."""

    word: str


@dataclass(frozen=True, slots=True)
class UnknownScan:
    """A code that is damaged, or that neither catalogue nor bin list knows."""

    text: str
    problem: str
    hint: str


@dataclass(frozen=True, slots=True)
class VerdictArrived:
    """The camera has looked at a picked line, or at one of a return. The store holds the verdict already."""

    fulfillment_order_id: str
    line: int
    sku_id: str
    outcome: CheckOutcome
    reasons: tuple[str, ...] = ()
    return_id: str = ""


@dataclass(frozen=True, slots=True)
class PrintChanged:
    """The label of a parcel has gone to another state. The store holds it already."""

    sscc: str
    state: PrintState


@dataclass(frozen=True, slots=True)
class WorkCancelled:
    """A cancel from the hub has won. The store holds state and put-back task already."""

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class WeightArrived:
    """The scale has answered for a parcel: grams, or 0 and the `problem`."""

    fulfillment_order_id: str
    weight_g: int
    problem: str = ""


Scanned: TypeAlias = (
    ItemScan
    | BinScan
    | SsccScan
    | NamedScan
    | NumberScan
    | WordScan
    | TextScan
    | ControlScan
    | UnknownScan
    | VerdictArrived
    | PrintChanged
    | WorkCancelled
    | WeightArrived
)

_KIND_OF: dict[type, Kind] = {
    ItemScan: Kind.ITEM,
    BinScan: Kind.BIN,
    SsccScan: Kind.SSCC,
    NumberScan: Kind.NUMBER,
    WordScan: Kind.WORD,
    TextScan: Kind.TEXT,
    UnknownScan: Kind.UNKNOWN,
    VerdictArrived: Kind.VERDICT,
    PrintChanged: Kind.PRINT,
    WorkCancelled: Kind.CANCELLED,
    WeightArrived: Kind.WEIGHT,
}


def kind_of(scan: Scanned) -> Kind:
    """The column of the flow table; an unknown control word counts as an unknown code."""
    if isinstance(scan, ControlScan):
        return CONTROL_WORDS.get(scan.word, Kind.UNKNOWN)
    if isinstance(scan, NamedScan):
        return scan.kind
    return _KIND_OF[type(scan)]


def sscc_of(scan: SsccScan | NamedScan) -> str:
    """The parcel that a label names, by its SSCC or by its tracking number."""
    return scan.name if isinstance(scan, NamedScan) else scan.sscc

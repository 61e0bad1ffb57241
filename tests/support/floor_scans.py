"""One scan of each kind, for walks over the whole table."""

from __future__ import annotations

from bodega.core.lifecycles import PrintState
from bodega_agent.rules.floor.scans import (
    BinScan,
    CheckOutcome,
    ControlScan,
    ItemScan,
    Kind,
    NamedScan,
    NumberScan,
    PrintChanged,
    SsccScan,
    TextScan,
    UnknownScan,
    VerdictArrived,
    WeightArrived,
    WordScan,
    WorkCancelled,
)
from bodega_agent.rules.floor.words import Word
from support.floor_model import NAMES

SSCC = "395260640000000019"
SCANS = {
    Kind.ITEM: ItemScan("OAT", NAMES["OAT"], "gtin-OAT"),
    Kind.BIN: BinScan("A-01"),
    Kind.SSCC: SsccScan(SSCC),
    **{
        kind: NamedScan(kind, "X-1")
        for kind in (
            Kind.CARTON,
            Kind.TOTE,
            Kind.ORDER,
            Kind.NOTICE,
            Kind.TRANSFER,
            Kind.RETURN_ID,
            Kind.TRACKING,
            Kind.BADGE,
            Kind.PERSON,
        )
    },
    Kind.NUMBER: NumberScan(2),
    Kind.WORD: WordScan(Word.DAMAGED),
    Kind.TEXT: TextScan("4711"),
    Kind.UNKNOWN: UnknownScan("?", "this is no code", "scan again"),
    Kind.VERDICT: VerdictArrived("FO-1", 1, "OAT", CheckOutcome.FAIL, ("other colour",)),
    Kind.PRINT: PrintChanged(SSCC, PrintState.UNKNOWN),
    Kind.CANCELLED: WorkCancelled("FO-1"),
    Kind.WEIGHT: WeightArrived("FO-1", 0, "it does not come to rest"),
    **{kind: ControlScan(kind.value) for kind in Kind if kind.value.startswith("CMD-")},
}

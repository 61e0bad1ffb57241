"""Every effect of the flows that the model store knows, by one name."""

from bodega_agent.rules.floor.effects import (
    CancelWork,
    Effect,
    NoteException,
    OpenPutBack,
    ReportLateCancel,
    Unpack,
)
from bodega_agent.rules.floor.handover.effects import HandOver
from bodega_agent.rules.floor.pack.effects import Pack, Reprint, VerifyLabel
from bodega_agent.rules.floor.pick.effects import (
    AcceptCheck,
    Advance,
    Claim,
    HandBack,
    Inspect,
    Pick,
    SetAside,
    ShortLine,
    ShortShelf,
    SubstituteLine,
    UseTote,
    ZeroChecked,
)
from bodega_agent.rules.floor.putaway.effects import PutAway
from bodega_agent.rules.floor.receive.effects import CloseReceipt, OpenReceipt, Receive, SetApart

__all__ = [
    "AcceptCheck",
    "Advance",
    "CancelWork",
    "Claim",
    "CloseReceipt",
    "Effect",
    "HandBack",
    "HandOver",
    "Inspect",
    "NoteException",
    "OpenPutBack",
    "OpenReceipt",
    "Pack",
    "Pick",
    "PutAway",
    "Receive",
    "ReportLateCancel",
    "Reprint",
    "SetApart",
    "SetAside",
    "ShortLine",
    "ShortShelf",
    "SubstituteLine",
    "Unpack",
    "UseTote",
    "VerifyLabel",
    "ZeroChecked",
]

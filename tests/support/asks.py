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
from bodega_agent.rules.floor.receive.effects import Receive

__all__ = [
    "AcceptCheck",
    "Advance",
    "CancelWork",
    "Claim",
    "Effect",
    "HandBack",
    "HandOver",
    "Inspect",
    "NoteException",
    "OpenPutBack",
    "Pack",
    "Pick",
    "PutAway",
    "Receive",
    "ReportLateCancel",
    "Reprint",
    "SetAside",
    "ShortLine",
    "ShortShelf",
    "SubstituteLine",
    "Unpack",
    "UseTote",
    "VerifyLabel",
    "ZeroChecked",
]

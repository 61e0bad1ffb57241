"""What a reader of facts gets: the transaction, the session, the scan, and what the running node knows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.scans import Scanned
from bodega_agent.rules.floor.session import Session
from bodega_agent.store.floor.pins import Proof
from bodega_agent.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Equipment:
    """What stands at the packing place: a scale that is asked for a weight, a printer for packing slips."""

    scale: bool = False
    slips: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """`scan` is None for a prompt without a scan; `present` are the devices that are there now; `proof` is what the
    service found out of a PIN that was typed.
    """

    tx: Transaction
    session: Session
    scan: Scanned | None
    vision: VisionMode
    present: Collection[str]
    proof: Proof | None = None
    equipment: Equipment = Equipment()

"""Goods between nodes: what left one, what reached another, and when a transfer is over.

Two journals tell of one transfer and reach the hub in any order; a receipt may come before the shipment that it
answers. So nothing here asks who came first: units are summed by what each node has said, and in transit is what left
less what arrived less what was written off (below zero while the shipment is not heard of yet).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from bodega.core.ledger import BizStep, Movement
from bodega.core.tables import StateTable

_TRANSIT = "in_transit:"


class TransferState(StrEnum):
    """How far a transfer is, as the hub knows it."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class TransferEvent(StrEnum):
    """What the journals, or a person, make of it."""

    ADDS_UP = "adds_up"
    DIFFERS = "differs"
    TELL = "tell"
    SETTLED = "settled"


TRANSFER = StateTable(
    name="transfer",
    states=TransferState,
    events=TransferEvent,
    start=TransferState.OPEN,
    steps={
        (TransferState.OPEN, TransferEvent.ADDS_UP): TransferState.CLOSED,
        # Both sides have said that nothing follows, or a person has: the receiving node is told the rest.
        (TransferState.OPEN, TransferEvent.TELL): TransferState.CLOSING,
        # A person may tell it again: the node's answer counts, and telling twice writes nothing off twice.
        (TransferState.CLOSING, TransferEvent.TELL): TransferState.CLOSING,
        (TransferState.CLOSING, TransferEvent.SETTLED): TransferState.OPEN,
        # Something moved after all.
        (TransferState.CLOSED, TransferEvent.DIFFERS): TransferState.OPEN,
    },
    terminal=frozenset(),
)


class Kind(NamedTuple):
    """One kind of goods."""

    sku_id: str
    lot: str = ""
    owner: str = ""


class Amounts(NamedTuple):
    """What one node says of one kind of goods in a transfer, in base units."""

    shipped: int = 0
    received: int = 0
    written_off: int = 0

    @property
    def in_transit(self) -> int:
        """What it put into the transfer and nobody has taken out."""
        return self.shipped - self.received - self.written_off

    def plus(self, other: Amounts) -> Amounts:
        """Both together."""
        return Amounts(*(mine + more for mine, more in zip(self, other, strict=True)))


class Side(NamedTuple):
    """A node that takes part: whether it has said that nothing follows, and its last event of the transfer."""

    node_id: str
    final: bool
    last_event: str


Said = Mapping[tuple[str, Kind], Amounts]
"""(node, kind of goods) -> what the node has said."""


def said_by(movement: Movement) -> dict[tuple[str, Kind], Amounts]:
    """(transfer, kind of goods) -> what one movement adds; a correction takes back what its business step added."""
    found: dict[tuple[str, Kind], Amounts] = {}
    for account, quantity, _serials in movement.postings:
        if not account.external.startswith(_TRANSIT):
            continue
        key = (account.external.removeprefix(_TRANSIT), Kind(account.sku_id, account.lot, account.owner))
        if movement.biz_step == BizStep.SHIPPING:
            more = Amounts(shipped=quantity)
        elif movement.biz_step == BizStep.RECEIVING:
            more = Amounts(received=-quantity)
        else:
            more = Amounts(written_off=-quantity)
        found[key] = found.get(key, Amounts()).plus(more)
    return found


def in_transit(said: Said, *, but: str = "") -> dict[Kind, int]:
    """Kind of goods -> units under way, as all nodes (without the one named `but`) say; zeros are left out."""
    total: dict[Kind, int] = {}
    for (node_id, kind), amounts in sorted(said.items()):
        if node_id != but:
            total[kind] = total.get(kind, 0) + amounts.in_transit
    return {kind: units for kind, units in total.items() if units}


def adds_up(said: Said) -> bool:
    """Whether all that left has arrived or is written off."""
    return not in_transit(said)


def is_over(said: Said, sides: Collection[Side]) -> bool:
    """Whether somebody has sent, somebody has received, and each of them says that nothing follows."""
    sent = any(amounts.shipped for amounts in said.values())
    received = any(amounts.received for amounts in said.values())
    return sent and received and all(side.final for side in sides)


def settling_node(said: Said) -> str:
    """The node that writes the difference off: the one that received most, else the one that sent most."""

    def most(units: Iterable[tuple[str, int]]) -> str:
        total: dict[str, int] = {}
        for node_id, quantity in units:
            total[node_id] = total.get(node_id, 0) + quantity
        ranked = sorted(((-quantity, node_id) for node_id, quantity in total.items() if quantity > 0))
        return ranked[0][1] if ranked else ""

    return (
        most((node_id, amounts.received) for (node_id, _), amounts in said.items())
        or most((node_id, amounts.shipped) for (node_id, _), amounts in said.items())
        or min((node_id for node_id, _ in said), default="")
    )

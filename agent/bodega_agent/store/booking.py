"""The way from a command's goods to a recorded movement: look them up, book them, remember what to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bodega.core.commands import Command
from bodega.core.ledger import Discrepancy, Goods, Reference
from bodega.core.recipes import NOWHERE, Booking, Places, book
from bodega_agent.store import ledger
from bodega_agent.store.goods import Known, Understanding
from bodega_agent.store.transaction import Context, Transaction

Json: TypeAlias = dict[str, Any]

BRINGS_IN = frozenset({"receive", "return", "transfer_in"})


@dataclass(slots=True)
class Work:
    """One command at work: what it has written so far."""

    tx: Transaction
    context: Context
    command: Command
    seqs: list[int] = field(default_factory=list)
    goods: list[Json] = field(default_factory=list)
    discrepancies: list[Discrepancy] = field(default_factory=list)

    def understood(self, *, moves: bool = True) -> tuple[Known, ...]:
        """The command's goods and places, or InvalidInput with every fault in them."""
        understanding = Understanding(self.tx, self.command)
        known = understanding.lines(brings_in=self.command.command in BRINGS_IN, moves=moves)
        understanding.places()
        understanding.finish()
        return known

    def book(
        self,
        name: str,
        known: Sequence[Known],
        places: Places = NOWHERE,
        *,
        makes: Sequence[Known] = (),
        reason: str = "",
    ) -> None:
        """Book one row of the recipes for goods that were named, and keep what was said of them."""
        booking = self._booking(
            name, [one.goods for one in known], places, [one.goods for one in makes], reason
        )
        told = (*known, *makes)
        movement = booking.movement._replace(
            entered=tuple([one.entered for one in told if one.entered]),
            lots=tuple([one.lot for one in told if one.lot]),
        )
        self.record(booking._replace(movement=movement))
        self.goods += [said(one) for one in told]

    def book_all(self, name: str, goods: Sequence[Goods], places: Places) -> None:
        """Book goods that the book itself has named."""
        self.record(self._booking(name, goods, places, (), ""))
        self.goods += [said(Known(one)) for one in goods]

    def _booking(
        self, name: str, goods: Sequence[Goods], places: Places, makes: Sequence[Goods], reason: str
    ) -> Booking:
        held = ledger.held_for(self.tx, name, (*goods, *makes), places)
        command = self.command
        reference = Reference(
            fulfillment_order_id=command.fulfillment_order_id,
            sscc=command.sscc,
            reason=reason or command.reason,
            transfer_id=command.transfer_id,
            reservation_id=command.reservation_id,
        )
        return book(name, goods, held, places, makes=makes, reference=reference)

    def record(self, booking: Booking) -> None:
        """Record a movement and what it has uncovered."""
        self.seqs.append(ledger.record_booking(self.tx, self.context, booking))
        self.discrepancies += booking.discrepancies

    def result(self, **more: Any) -> Json:
        """What is stored for the `cmd_id`, and answered."""
        result: Json = {"command": self.command.command, "seqs": self.seqs, "goods": self.goods}
        if self.discrepancies:
            result["discrepancies"] = [
                {
                    "bin_id": found.bin_id,
                    "sku_id": found.sku_id,
                    "lot": found.lot,
                    "difference": found.difference,
                    "reason": found.reason,
                }
                for found in self.discrepancies
            ]
        return {**result, **more}


def said(known: Known) -> Json:
    """Goods as an answer names them: base units, and what was entered if that was something else."""
    answer: Json = {"sku_id": known.goods.sku_id, "quantity": known.goods.quantity}
    if known.goods.lot:
        answer["lot"] = known.goods.lot
    if known.entered:
        answer["entered"] = {"quantity": known.entered.quantity, "unit": known.entered.unit}
    return answer

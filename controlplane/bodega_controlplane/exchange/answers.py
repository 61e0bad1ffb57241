"""What a shop is answered: which orders were taken, and what is wrong with the others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bodega.errors import BodegaError, FieldFault
from bodega_controlplane.exchange.folder import digest_of
from bodega_controlplane.exchange.ports import Arrived, Outgoing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one order (or of a catalogue, by the rows taken): accepted, or refused with a code."""

    reference: str
    outcome: str
    order_id: str = ""
    state: str = ""
    code: str = ""


@dataclass(slots=True)
class Answer:
    """All outcomes of one file, and everything that is wrong in it."""

    outcomes: list[Outcome] = field(default_factory=list)
    faults: list[tuple[str, FieldFault]] = field(default_factory=list)

    def refuse(self, reference: str, error: BodegaError, faults: Sequence[FieldFault] = ()) -> None:
        """An order was not taken."""
        self.outcomes.append(Outcome(reference, "refused", code=error.code))
        said = faults or error.faults or (FieldFault("order", error.message),)
        self.faults += [(reference, fault) for fault in said]

    def files(self, arrived: Arrived) -> list[Outgoing]:
        """The acknowledgement, and the errors if there are any, named after the file that they answer.

        The same file is answered with the same names: whoever reads them twice knows it.
        """
        stem = f"{Path(arrived.name).stem}.{digest_of(arrived)}"
        found = []
        if self.outcomes:
            rows = ((one.reference, one.outcome, one.order_id, one.state, one.code) for one in self.outcomes)
            acked = ("reference", "outcome", "order_id", "state", "code")
            found.append(Outgoing(f"{stem}.ack.csv", _csv(acked, rows)))
        if self.faults:
            wrong = (
                (fault.line or "", reference, fault.where, fault.problem) for reference, fault in self.faults
            )
            header = ("line", "reference", "column", "problem")
            found.append(Outgoing(f"{stem}.errors.csv", _csv(header, wrong)))
        return found


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()

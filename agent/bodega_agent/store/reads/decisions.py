"""What the node has decided alone, read and made again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bodega.core.routing.alone import decide_alone
from bodega.core.routing.bundle import parse
from bodega.core.routing.choice import Choice
from bodega.core.routing.record import (
    choice_from_json,
    choice_to_json,
    inputs_from_json,
)
from bodega.core.routing.replaying import compared
from bodega.errors import BodegaError
from bodega_agent.store.reader import Reader

_COLUMNS = "d.number, d.decision, d.subject, d.reason, d.at_ms, d.digest, d.inputs, d.choice, b.body"
_FROM = "FROM routing_decision d JOIN routing_bundle b USING (digest)"


@dataclass(frozen=True)
class Kept:
    """One decision as it was kept; `at_ms` since 1970-01-01 UTC, `body` of the bundle."""

    number: int
    decision: str
    subject: str
    reason: str
    at_ms: int
    digest: str
    inputs: bytes
    recorded: bytes
    body: bytes

    @cached_property
    def choice(self) -> Choice:
        """The choice that was recorded."""
        return choice_from_json(self.recorded)

    def again(self) -> tuple[str, str]:
        """The decision made again: "same", "differs" or "not_recorded", and what differs or why it can not be made."""
        try:
            bundle, inputs = parse(self.body, is_known=True), inputs_from_json(self.inputs)
            choice = decide_alone(bundle, self.decision, inputs)
        except BodegaError as error:
            return "not_recorded", error.message
        return compared(self.recorded, choice_to_json(choice))


def decisions_about(ledger: Reader, subject: str) -> list[Kept]:
    """Of a fulfillment order, an order or a reservation; the newest first."""
    rows = ledger.connection.execute(
        f"SELECT {_COLUMNS} {_FROM} WHERE d.subject = ?1 OR d.subject IN"  # noqa: S608  # constants
        " (SELECT fulfillment_order_id FROM fulfillment_order WHERE order_id = ?1) ORDER BY d.number DESC",
        (subject,),
    )
    return [Kept(*row) for row in rows]


def newest_decisions(ledger: Reader, limit: int) -> list[Kept]:
    """Of all, the newest first."""
    rows = ledger.connection.execute(f"SELECT {_COLUMNS} {_FROM} ORDER BY d.number DESC LIMIT ?", (limit,))
    return [Kept(*row) for row in rows]

"""What the node still dares to write: asked by the commands that can be refused, never by a scan."""

from __future__ import annotations

from collections.abc import Callable

from bodega.errors import Refused, Unavailable


def _no_room() -> bool:
    """Without a disk service there is nothing to give up."""
    return False


class Gate:
    """Open until the disk or the ledger closes it. Set in any thread, read in the writer's.

    `closed_because`: why the disk lets no new promise be made, or "". `ledger_unsure`: why the ledger does not,
    or "". `scans_only`: nothing but what people and devices do here is recorded, so the hub's events wait at the
    hub, as in a network cut.
    `make_room`: called when a commit finds the disk full; True if a second try is worth it.
    """

    def __init__(self) -> None:
        self.closed_because = ""
        self.ledger_unsure = ""
        self.scans_only = False
        self.make_room: Callable[[], bool] = _no_room

    def check_promise(self) -> None:
        """Before a promise: Refused with code `disk-full` or `ledger-unsure` while closed."""
        if self.ledger_unsure:
            raise Refused(
                f"this node makes no new promises: {self.ledger_unsure}",
                hint="scans are recorded; bodega status says what is wrong and what to do",
                code="ledger-unsure",
            )
        if self.closed_because:
            raise Refused(
                f"this node makes no new promises: {self.closed_because}",
                hint="make room on the disk of the ledger; bodega status says how much is missing",
                code="disk-full",
            )

    def check_hub_events(self) -> None:
        """Before events of the hub are applied: Unavailable, so that they come again later."""
        if self.scans_only:
            raise Unavailable(
                f"only physical scans are recorded: {self.closed_because}",
                hint="make room on the disk of the ledger",
                code="disk-full",
            )

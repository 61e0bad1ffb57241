"""What is done to the network of nodes on purpose: a killed agent, a label lost in mid-print, an empty roll."""

from __future__ import annotations

import asyncio
import itertools

from bodega_agent.demo.crew import Post
from bodega_agent.demo.evidence import Row
from bodega_agent.demo.gather import journal_of
from bodega_agent.demo.proxy import Outage, now_ms

# Less than a label has, more than the printer's status question: the connection dies in mid-label.
_BYTES_BEFORE_THE_CABLE_IS_KICKED = 300


class Kill:
    """SIGKILL for one agent, between trigger and beep of a unit in the middle of a line, and a new start.

    `kept` is the journal in the node's file just before: every one of these events must still be there after.
    `outage` is the time from the kill to the first bytes of the restarted agent on the cable.
    """

    def __init__(self, post: Post) -> None:
        self.post = post
        self.kept: tuple[Row, ...] = ()
        self.outage: Outage | None = None
        self.done = asyncio.Event()

    def arm(self) -> None:
        """Strike at the next chance."""
        for person in self.post.associates:
            person.picker.in_mid_pick = self._strike

    async def _strike(self) -> None:
        for person in self.post.associates:
            person.picker.in_mid_pick = None
        agent = self.post.node.agent
        # The scan is on its way and may be committed at any moment: what is in the file now must stay.
        self.kept = journal_of(self.post.node.ledger)
        self.outage = self.post.node.cable.outage()
        await agent.kill()
        self.outage.healed_ms = now_ms()
        await agent.start()
        self.done.set()


def trouble_printer(post: Post) -> None:
    """Something goes wrong at the printer with each associate's next parcel, another thing for each in turn.

    The first: the label's connection dies in mid-label, and nobody but an associate can know if it was printed. Then:
    the roll ends, and the lid is left open.
    """
    printer = post.node.bench.printer

    def kick_cable() -> None:
        printer.drop_connection_after_bytes = _BYTES_BEFORE_THE_CABLE_IS_KICKED

    def end_roll() -> None:
        printer.labels_on_roll = 0

    def leave_lid_open() -> None:
        printer.head_open = True

    troubles = itertools.cycle((kick_cable, end_roll, leave_lid_open))
    for person, trouble in zip(post.associates, troubles, strict=False):
        person.picker.before_pack = trouble

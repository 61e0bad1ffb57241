"""The hub's link service outlives every way in which a connection can end."""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from bodega.broker.port import LinkLost
from bodega.core.incarnation import StreamState
from bodega_controlplane.services.linking import LinkService
from bodega_controlplane.services.ports import UpMessage
from support.controlplane import make_hub

LUCKY = 0.0  # waits as short as they can be


class EndingConnection:
    """Ends as soon as everything runs on it; who still receives then fails while he is being told to stop."""

    async def make_streams(self) -> None:
        return

    async def stream_states(self) -> dict[str, StreamState]:
        return dict.fromkeys(("UP", "DOWN"), StreamState("today", 1, 0, consumers=1))

    async def until_closed(self) -> None:
        await asyncio.sleep(0)

    async def up_batches(self, batch_max: int) -> AsyncGenerator[Sequence[UpMessage], None]:
        try:
            await asyncio.Event().wait()
            yield ()
        finally:
            raise LinkLost("the connection ended")

    async def close(self) -> None:
        return


class EndingLink:
    """A broker to which every connection ends at once."""

    address = "nowhere"

    def __init__(self) -> None:
        self.cancels_left_over: list[int] = []
        self.third = asyncio.Event()

    async def connect(self, questions: object) -> EndingConnection:
        task = asyncio.current_task()
        assert task is not None, "it is called by a service"
        self.cancels_left_over.append(task.cancelling())
        if len(self.cancels_left_over) == 3:
            self.third.set()
        return EndingConnection()


def test_a_part_that_fails_while_its_connection_ends_leaves_no_cancel_behind(tmp_path: Path) -> None:
    """Python 3.11.2 takes the next timeout of a task with a cancel left over for the end of the task."""

    async def story() -> list[int]:
        link = EndingLink()
        service = LinkService(make_hub("sqlite", tmp_path), link, draw=lambda: LUCKY)  # type: ignore[arg-type]  # what it needs
        running = asyncio.create_task(service.run())
        await asyncio.wait({running, asyncio.ensure_future(link.third.wait())}, return_when=FIRST_COMPLETED)
        running.cancel()
        await asyncio.wait({running})
        return link.cancels_left_over

    assert asyncio.run(story()) == [0, 0, 0]

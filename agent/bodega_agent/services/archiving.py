"""Old events go to archives by the clock, or when a person asks; in steps that other work passes between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

from bodega.errors import BodegaError, Refused
from bodega.host.log import get_logger
from bodega.limits import ARCHIVE_EVENTS_MAX, ARCHIVE_EVENTS_MIN, ARCHIVE_OLDER_THAN_S
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.store import archiving
from bodega_agent.store.archive import FOLDER
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store

log = get_logger(__name__)

Json = dict[str, Any]


class ArchiveService:
    """Writes archives and deletes what they hold. `needs_ack`: the node has a hub, which must have the events."""

    def __init__(
        self,
        store: Store,
        integrity: IntegrityService,
        *,
        node_id: str,
        needs_ack: bool,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._integrity = integrity
        self._node_id = node_id
        self._needs_ack = needs_ack
        self._now_ms = now_ms
        self._folder: Path = store.path.parent / FOLDER
        self._one_at_a_time = asyncio.Lock()

    async def by_schedule(self) -> None:
        """What is old enough; too few events are not worth a file."""
        try:
            async for _ in self.run(ARCHIVE_OLDER_THAN_S, events_min=ARCHIVE_EVENTS_MIN):
                pass
        except BodegaError as error:
            log.warning("not_archived", reason=error.message)

    async def run(self, older_than_s: float, *, events_min: int = 1) -> AsyncIterator[Json]:
        """Archive all that may go, file by file; yields {step, first_seq, last_seq, ...} as it goes.

        Raises Refused while the ledger does not add up. It begins with what an earlier run has left undone.
        """
        async with self._one_at_a_time:
            async for step in self._delete():
                yield step
            # What is not yet found right stays; a person who asks does not wait for the clock to have looked.
            await self._integrity.walk_on(to_the_head=events_min == 1)
            before_ms = self._now_ms() - int(older_than_s * 1000)
            while (
                bounds := await self._store.read(lambda reader: self._bounds(reader, before_ms))
            ) is not None:
                if bounds[1] - bounds[0] + 1 < events_min:
                    return
                async for step in self._archive(*bounds):
                    yield step
                async for step in self._delete():
                    yield step
                if bounds[1] - bounds[0] + 1 < ARCHIVE_EVENTS_MAX:
                    return

    def _bounds(self, reader: Reader, before_ms: int) -> tuple[int, int] | None:
        if (trouble := self._integrity.trouble) is not None:
            raise Refused(
                f"nothing is archived while the ledger does not add up: {trouble.problem}",
                hint="bodega ledger verify",
            )
        return archiving.last_archivable(
            reader.connection,
            before_ms=before_ms,
            sound_seq=self._integrity.sound_seq,
            needs_ack=self._needs_ack,
        )

    async def _archive(self, first_seq: int, last_seq: int) -> AsyncIterator[Json]:
        epoch = (await self._store.head()).epoch
        archived = await self._store.read_aside(
            lambda reader: archiving.write_file(
                reader.connection,
                self._folder,
                node_id=self._node_id,
                epoch=epoch,
                first_seq=first_seq,
                last_seq=last_seq,
            )
        )
        await self._store.write(lambda tx: archiving.commit(tx, archived))
        segment = archived.segment
        told = {"first_seq": first_seq, "last_seq": last_seq, "file": segment.file}
        log.info("archived", **told, size_bytes=segment.size_bytes)
        yield {"step": "archived", **told}

    async def _delete(self) -> AsyncIterator[Json]:
        deleted = 0
        while count := await self._store.write(archiving.delete_archived):
            deleted += count
            yield {"step": "deleting", "events": deleted}
        cursor = ""
        while deleted:
            cursor = await self._store.write(partial(archiving.forget_commands, after_cmd_id=cursor))
            if not cursor:
                return

"""What people may tell the exchange with the hub: pause, go on, look again. Each may be repeated without harm.

A pause is kept in the ledger file, so that it outlives restarts, and told to the hub with every heartbeat. Work at the
node goes on: what is recorded meanwhile is sent afterwards.
"""

from __future__ import annotations

from typing import Any

from bodega.errors import Refused
from bodega.host.log import get_logger
from bodega_agent.services.control import Answer
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.services.syncing import SyncService
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction

log = get_logger(__name__)
Json = dict[str, Any]

PAUSED_AT_MS = "sync_paused_at_ms"


def paused_at_ms(reader: Reader) -> int:
    """Since when sync is paused, milliseconds since 1970-01-01 UTC; 0: it is not."""
    return int(reader.meta(PAUSED_AT_MS, 0))


class SyncControl:
    """Operations of the control socket; `sync` is None for a node that works alone."""

    def __init__(self, store: Store, integrity: IntegrityService, sync: SyncService | None) -> None:
        self._store = store
        self._integrity = integrity
        self._sync = sync

    @property
    def answers(self) -> dict[str, Answer]:
        """One answer per request."""
        return {"sync.pause": self._pause, "sync.resume": self._resume, "sync.resync": self._resync}

    async def _pause(self, _request: Json) -> Json:
        sync = self._there()

        def work(tx: Transaction) -> tuple[int, bool]:
            before = int(tx.get(PAUSED_AT_MS, 0))
            if not before:
                tx.put(PAUSED_AT_MS, tx.now_ms())
            return before or int(tx.get(PAUSED_AT_MS)), before > 0

        since_ms, already = await self._store.write(work)
        sync.pause(since_ms)
        log.warning("sync_paused", since_ms=since_ms)
        return {"paused_at_ms": since_ms, "already": already}

    async def _resume(self, _request: Json) -> Json:
        sync = self._there()

        def work(tx: Transaction) -> int:
            before = int(tx.get(PAUSED_AT_MS, 0))
            tx.execute("DELETE FROM meta WHERE key = ?", (PAUSED_AT_MS,))
            return before

        since_ms = await self._store.write(work)
        sync.pause(0)
        log.info("sync_resumed", since_ms=since_ms)
        status = sync.status()
        return {"was_paused": since_ms > 0, "to_send": status.head_seq - status.acked_seq}

    async def _resync(self, _request: Json) -> Json:
        sync = self._there()
        if sync.paused_at_ms:
            raise Refused("sync is paused here", hint="bodega sync resume")
        # First, so that it goes up with the rest: the hub holds its copy of the stock against it.
        await self._integrity.compare_soon()
        return await sync.resync()

    def _there(self) -> SyncService:
        if self._sync is None:
            raise Refused(
                "this node has no [hub] in its configuration: it works alone", hint="see agent.toml"
            )
        return self._sync

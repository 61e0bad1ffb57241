"""What happens by the clock: the care of ledger, archives and disk, and systemd's watchdog fed by real progress.

The watchdog is fed only after the ledger's writer has answered, so a box whose disk hangs is restarted
instead of looking fine.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bodega.host.notify import notify, watchdog_interval_s
from bodega.limits import (
    ARCHIVE_CHECK_S,
    CERTIFICATE_CHECK_FIRST_S,
    CERTIFICATE_CHECK_S,
    CHAIN_CHECK_FIRST_S,
    CHAIN_CHECK_S,
    DISK_SWEEP_S,
)
from bodega_agent.services.archiving import ArchiveService
from bodega_agent.services.disk import DiskService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.services.renewing import RenewingService
from bodega_agent.store.store import Store


class Schedule:
    """Owns the scheduler; `start` and `stop` with the daemon."""

    def __init__(
        self,
        store: Store,
        integrity: IntegrityService,
        archives: ArchiveService,
        disk: DiskService,
        renewing: RenewingService | None = None,
    ) -> None:
        self._store = store
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1}
        )
        self._scheduler.add_job(
            integrity.walk_on,
            "interval",
            seconds=CHAIN_CHECK_S,
            jitter=5,
            # A node that never runs for long is checked too.
            next_run_time=datetime.now(UTC) + timedelta(seconds=CHAIN_CHECK_FIRST_S),
        )
        self._scheduler.add_job(archives.by_schedule, "interval", seconds=ARCHIVE_CHECK_S, jitter=60)
        self._scheduler.add_job(disk.sweep, "interval", seconds=DISK_SWEEP_S)
        if renewing is not None:
            self._scheduler.add_job(
                renewing.renew_if_due,
                "interval",
                seconds=CERTIFICATE_CHECK_S,
                jitter=600,
                next_run_time=datetime.now(UTC) + timedelta(seconds=CERTIFICATE_CHECK_FIRST_S),
            )
        interval = watchdog_interval_s()
        if interval is not None:
            self._scheduler.add_job(self._feed_watchdog, "interval", seconds=interval)

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """End; a job that runs is not waited for."""
        self._scheduler.shutdown(wait=False)

    async def _feed_watchdog(self) -> None:
        await self._store.write(lambda _tx: None)
        notify("WATCHDOG=1")

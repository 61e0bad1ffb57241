"""The ledger watched while the agent runs: walked in slices, held against its tables, checkpointed.

What does not add up is an alarm that stays: it is kept in the file, shown by status, health and heartbeat, and no
new promise is made, until a full check finds everything right. Scans are recorded all the while.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import (
    CHAIN_CHECK_EVENTS_MAX,
    CHAIN_CHECK_SLICE_EVENTS_MAX,
    CHECKPOINT_EVENTS_MAX,
    CHECKPOINT_IDLE_EVENTS_MIN,
)
from bodega_agent.store import checkpoints, condition
from bodega_agent.store.condition import Restored
from bodega_agent.store.count_tasks import CHECKPOINT_WANTED
from bodega_agent.store.integrity import BackgroundWalk, Fold, Scrub, Trouble
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction

log = get_logger(__name__)
Json = dict[str, Any]


class IntegrityService:
    """Knows whether the ledger adds up. `start` before anything is promised, `close` before the store.

    It closes the gate of promises while it does not, and for a store that was restored.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._walk: BackgroundWalk | None = None
        self._scrub = Scrub()
        self._checkpoint_seq = self._last_turn_seq = 0
        self._trouble: Trouble | None = None
        self._restored: Restored | None = None
        self._quick_check = "not needed: the last stop was clean"
        self._checking: asyncio.Task[None] | None = None
        self._walking = asyncio.Lock()

    @property
    def trouble(self) -> Trouble | None:
        """The first thing found wrong, if anything was."""
        return self._trouble

    @property
    def restored(self) -> Restored | None:
        """Set while the store is one that came from a backup and has no epoch of its own yet."""
        return self._restored

    @property
    def sound_seq(self) -> int:
        """The journal and its tables were found right up to here."""
        return self._walk.sound_seq if self._walk and self._trouble is None else 0

    def status(self) -> Json:
        """What `bodega status` shows of the ledger."""
        return {
            "problem": self._trouble.problem if self._trouble else "",
            "first_bad_seq": self._trouble.seq if self._trouble else None,
            "sound_seq": self.sound_seq,
            "checkpoint_seq": self._checkpoint_seq,
            "quick_check": self._quick_check,
            "restored": self._restored.advice if self._restored else "",
        }

    async def start(self) -> None:
        """Read the marks of the last run; an unclean stop starts a check of the file in the background."""
        found = await self._store.write(condition.note_start)
        self._trouble, self._restored = found.trouble, found.restored
        self._tell_gate()
        if self._trouble:
            log.error("ledger_broken", problem=self._trouble.problem, seq=self._trouble.seq)
        if self._restored:
            log.warning("ledger_restored", **self._restored_words(self._restored))
        if not found.clean:
            log.warning("unclean_stop", doing="quick_check")
            self._quick_check = "running: the last stop was not clean"
            self._checking = asyncio.create_task(self._check_file())

    async def close(self) -> None:
        """Stop what runs aside, and leave the mark of a clean stop."""
        await self._store.stop_asides()
        await self.checked()
        # Without the mark the next start checks the file: no harm.
        with contextlib.suppress(Unavailable):
            await self._store.write(condition.note_stop)

    async def checked(self) -> None:
        """Return once the check of the file, if one runs, has ended."""
        if self._checking is not None:
            await asyncio.wait([self._checking])

    async def compare_soon(self) -> None:
        """Make a checkpoint at the head now, so that the hub compares its copy with the book."""
        await self._store.write(lambda tx: tx.put(CHECKPOINT_WANTED, 1))
        await self.walk_on(to_the_head=True)

    async def walk_on(self, *, to_the_head: bool = False) -> None:
        """By the schedule: walk the next events, and at the head compare and make a checkpoint if one is due."""
        async with self._walking:
            if self._trouble is None:
                await self._walk_on(CHAIN_CHECK_EVENTS_MAX if not to_the_head else sys.maxsize)

    async def _walk_on(self, events_max: int) -> None:
        if self._walk is None:
            start = await self._store.read(lambda reader: checkpoints.replay_start(reader.connection))
            if isinstance(start, Trouble):
                await self._alarm(start)
                return
            self._walk = BackgroundWalk(start)
            self._checkpoint_seq = self._walk.fold.seq
        walk = self._walk
        try:
            at_head, trouble = await self._store.read_aside(lambda reader: _turn(walk, reader, events_max))
        except Unavailable:
            return
        if trouble is None and at_head:
            await self._make_checkpoint(walk.fold)
            trouble = await self._scrub_on()
        if trouble is not None:
            await self._alarm(trouble)

    async def _scrub_on(self) -> Trouble | None:
        """The next events of the round that looks again at what the walk has passed."""
        with contextlib.suppress(Unavailable):
            _, trouble = await self._store.read_aside(
                lambda reader: _turn(self._scrub, reader, CHAIN_CHECK_EVENTS_MAX)
            )
            return trouble
        return None

    async def verify(self, *, since_checkpoint: bool = False) -> Json:
        """The full check, beside the work; if it finds everything right, an older alarm is taken back."""
        report = await self._store.read_aside(lambda reader: reader.verify(since_checkpoint=since_checkpoint))
        if report["ok"] and not since_checkpoint and self._trouble is not None:
            async with self._walking:
                log.warning("ledger_right_again", problem=self._trouble.problem)
                await self._store.write(lambda tx: condition.note_trouble(tx, None))
                self._trouble = self._walk = None
                self._tell_gate()
        return report

    async def _make_checkpoint(self, fold: Fold) -> None:
        """At the head, so that the hub can compare its own; a node that is never idle does not wait for ever."""
        since, idle = fold.seq - self._checkpoint_seq, fold.seq == self._last_turn_seq
        self._last_turn_seq = fold.seq
        wanted = await self._store.read(lambda reader: reader.meta(CHECKPOINT_WANTED))
        # One event after the last checkpoint is the checkpoint itself.
        nothing_new = since <= (1 if self._checkpoint_seq else 0)
        if nothing_new or (
            not wanted and since < (CHECKPOINT_IDLE_EVENTS_MIN if idle else CHECKPOINT_EVENTS_MAX)
        ):
            return
        made = await asyncio.to_thread(checkpoints.checkpoint_of, fold)
        wait_for_head = since < 2 * CHECKPOINT_EVENTS_MAX

        def record(tx: Transaction) -> int | None:
            if wait_for_head and tx.head.seq != fold.seq:
                return None
            tx.execute("DELETE FROM meta WHERE key = ?", (CHECKPOINT_WANTED,))
            return checkpoints.record(tx, made)

        recorded = await self._store.write(record)
        if recorded is not None:
            self._checkpoint_seq = fold.seq
            log.info("ledger_checkpoint", basis_seq=fold.seq, snapshot_bytes=len(made.snapshot))

    async def _check_file(self) -> None:
        try:
            trouble = await self._store.read_aside(lambda reader: condition.quick_check(reader.connection))
        except Unavailable:
            return
        self._quick_check = trouble.problem if trouble else "ok, after a stop that was not clean"
        log.info("quick_check", result=self._quick_check)
        if trouble is not None:
            await self._alarm(trouble)

    async def _alarm(self, trouble: Trouble) -> None:
        log.error("ledger_broken", problem=trouble.problem, seq=trouble.seq)
        self._trouble = self._trouble or trouble
        self._tell_gate()
        try:
            await self._store.write(lambda tx: condition.note_trouble(tx, self._trouble))
        except Unavailable:  # the alarm stands, for as long as this process lives
            log.exception("alarm_not_kept")

    def _tell_gate(self) -> None:
        if self._trouble is not None:
            self._store.gate.ledger_unsure = "the ledger does not add up"
        elif self._restored is not None:
            self._store.gate.ledger_unsure = "the ledger was restored from a backup"
        else:
            self._store.gate.ledger_unsure = ""

    @staticmethod
    def _restored_words(restored: Restored) -> Json:
        return {
            "backup_seq": restored.backup_seq,
            "replaced_seq": restored.replaced_seq,
            "reason": restored.reason,
        }


def _turn(walk: BackgroundWalk | Scrub, reader: Reader, events_max: int) -> tuple[bool, Trouble | None]:
    """In slices, each a short read: the writer's log can not be cut back under a long one."""
    for _ in range(0, events_max, CHAIN_CHECK_SLICE_EVENTS_MAX):
        at_head, trouble = walk.step(reader.connection, CHAIN_CHECK_SLICE_EVENTS_MAX)
        if at_head or trouble is not None:
            return at_head, trouble
    return False, None

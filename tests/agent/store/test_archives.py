"""Old events leave the journal for a file and are still there; whatever happens on the way, none is lost."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from bodega.core.sync import Head
from bodega.errors import IntegrityBroken
from bodega.limits import CHECKPOINTS_KEPT_MAX
from bodega_agent.services.archiving import ArchiveService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.store import archive, archiving, checkpoints
from bodega_agent.store.integrity import Fold, live_events, walk
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction
from support.ledger_care import receive, tamper, verified
from support.node_under_test import opened_store

PAST = 20  # the events of ten receipts


def _service(store: Store, *, needs_ack: bool = False) -> ArchiveService:
    return ArchiveService(
        store, IntegrityService(store), node_id="lisbon-01", needs_ack=needs_ack, now_ms=lambda: 10**9
    )


async def _all(steps: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [step async for step in steps]


async def _past(store: Store) -> None:
    for _ in range(PAST // 2):
        await store.write(receive)


async def _archived(store: Store) -> list[str]:
    steps = await _all(_service(store).run(0))
    return [step["file"] for step in steps if step["step"] == "archived"]


async def test_archived_events_leave_the_journal_and_can_still_be_read_and_checked(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)
        before = await store.events_after(0, 100)
        (file,) = await _archived(store)

        live = await store.write(lambda tx: [row[0] for row in tx.execute("SELECT seq FROM journal")])
        assert live == [PAST, PAST + 1], "the head stays, and the checkpoint at the archive's end"
        assert await store.events_after(0, 7) == before[:7]
        assert await store.events_after(7, 100) == before[7 : PAST - 1], "one answer comes from one place"
        assert await store.events_after(PAST - 1, 100) == [
            *before[PAST - 1 :],
            *await store.events_after(PAST, 9),
        ]
        assert [await store.hash_at(e.seq) for e in before] == [e.hash for e in before]
        assert await store.events_after(PAST + 1, 10) == []
        report = await store.read(Reader.verify)
        assert (report["ok"], report["events"], report["archives"]) == (True, PAST + 1, 1)

        await _past(store)
        assert await _archived(store)
        report = await store.read(Reader.verify)
        assert (report["ok"], report["events"], report["archives"]) == (True, 2 * PAST + 2, 2)
        assert (tmp_path / archive.FOLDER / file).stat().st_mode & 0o777 == 0o600


async def test_the_file_is_gzip_of_envelopes_with_their_lengths(tmp_path: Path) -> None:
    from google.protobuf.proto import parse_length_prefixed

    from bodega.v1 import sync_pb2

    with opened_store(tmp_path) as store:
        await _past(store)
        before = await store.events_after(0, 100)
        (file,) = await _archived(store)
    with gzip.open(tmp_path / archive.FOLDER / file) as unpacked:
        envelope = parse_length_prefixed(sync_pb2.Envelope, unpacked)
        assert parse_length_prefixed(sync_pb2.Envelope, unpacked) is None
    assert (envelope.node_id, envelope.epoch, envelope.first_seq) == ("lisbon-01", 1, 1)
    assert list(envelope.events) == [event.body for event in before[: PAST - 1]]


async def test_only_what_is_old_and_acknowledged_goes_and_the_head_stays(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)

        def bounds(**limits: Any) -> Any:
            limits = {"sound_seq": PAST, **limits}
            return store.read(lambda reader: archiving.last_archivable(reader.connection, **limits))

        ages = await store.write(lambda tx: dict(tx.execute("SELECT seq, at_ms FROM journal")))
        assert await bounds(before_ms=10**9, needs_ack=False) == (1, PAST - 1)
        assert await bounds(before_ms=10**9, needs_ack=False, sound_seq=8) == (1, 8)
        assert await bounds(before_ms=10**9, needs_ack=False, sound_seq=0) is None
        assert await bounds(before_ms=ages[6], needs_ack=False) == (1, 5)
        assert await bounds(before_ms=ages[1], needs_ack=False) is None
        assert await bounds(before_ms=10**9, needs_ack=True) is None
        await store.record_ack(Head(1, 4, (await store.hash_at(4)) or b""))
        assert await bounds(before_ms=10**9, needs_ack=True) == (1, 4)


async def test_an_archive_holds_no_more_than_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("bodega_agent.store.archiving", "bodega_agent.services.archiving"):
        monkeypatch.setattr(f"{module}.ARCHIVE_EVENTS_MAX", 8)
    with opened_store(tmp_path) as store:
        await _past(store)
        assert len(await _archived(store)) == 3
        rows = await store.write(lambda tx: list(tx.execute("SELECT first_seq, last_seq FROM archive")))
        assert rows == [(1, 8), (9, 16), (17, 20)], (
            "what was found right before; the checkpoints of the archives came after"
        )
        assert (await store.read(Reader.verify))["ok"]


async def test_results_of_commands_go_with_their_events_and_no_others(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)

        def silent(tx: Transaction) -> None:
            tx.once("cmd-without-an-event", {}, dict)

        await store.write(silent)
        await _archived(store)

        def kept(tx: Transaction) -> list[str]:
            return [row[0] for row in tx.execute("SELECT cmd_id FROM command ORDER BY seq")]

        assert (await store.write(kept))[1:] == ["cmd-without-an-event"], "and that of the head's command"
        await store.write(receive)
        await _archived(store)
        assert "cmd-without-an-event" not in await store.write(kept)


async def test_the_background_walk_goes_on_over_an_archive(tmp_path: Path) -> None:
    """Found by measuring: a walk that stood behind the archive's end took the events for lost."""
    with opened_store(tmp_path) as store:
        integrity = IntegrityService(store)
        await _past(store)
        await integrity.walk_on()
        await _past(store)
        service = ArchiveService(store, integrity, node_id="lisbon-01", needs_ack=False, now_ms=lambda: 10**9)
        assert [step async for step in service.run(0)]
        await integrity.walk_on()
        assert (integrity.trouble, integrity.sound_seq) == (None, 2 * PAST + 1)


async def test_the_trigger_lets_only_archived_events_go(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)
        await _archived(store)

        def shorten(tx: Transaction) -> None:
            tx.execute("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)")

        with pytest.raises(apsw.ConstraintError, match="append-only"):
            await store.write(shorten)


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("at", "seq"), [(4, 1), (40, 1), (-6, PAST - 1)], ids=["header", "body", "check sum at the end"]
)
async def test_a_changed_archive_is_named(tmp_path: Path, at: int, seq: int) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)
        (file,) = await _archived(store)
    _flip(tmp_path / archive.FOLDER / file, at)

    report = verified(tmp_path)
    assert (report["ok"], report["first_bad_seq"]) == (False, seq)
    assert f"{file} of events 1 to {PAST - 1} was changed" in report["problem"]


async def test_an_archive_that_is_missing_is_named_and_one_that_was_dropped_is_said(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)
        (first,) = await _archived(store)
        await _past(store)
        await _archived(store)
    (tmp_path / archive.FOLDER / first).unlink()

    report = verified(tmp_path)
    assert (report["ok"], report["first_bad_seq"]) == (False, 1)
    assert "can not be read: No such file" in report["problem"]

    with opened_store(tmp_path) as store:
        await store.archives_dropped([first])
        assert await store.events_after(0, 10) == [], "what is gone is not made up"
        assert await store.hash_at(3) is None
    report = verified(tmp_path)
    assert report["ok"], report["problem"]
    assert report["notes"] == [
        f"the archive of events 1 to {PAST - 1} was dropped to make room",
        f"checked from the checkpoint at event {2 * PAST} on",
    ], "the checkpoint at the first one's end is vouched for by an event that is archived too"
    assert (report["from_seq"], report["archives"]) == (2 * PAST + 1, 0)


async def test_a_table_changed_under_archived_events_is_found(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)
        await _archived(store)
    tamper(tmp_path, "UPDATE balance SET quantity = 49 WHERE bin = 'A-01-01'")
    assert "add up to 50" in verified(tmp_path)["problem"]
    assert "add up to 50" in verified(tmp_path, since_checkpoint=True)["problem"]


async def test_events_that_do_not_add_up_are_never_archived(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)
    tamper(tmp_path, "UPDATE journal SET hash = zeroblob(32) WHERE seq = 5")
    with opened_store(tmp_path) as store:
        with pytest.raises(IntegrityBroken, match="event 5 does not hash"):
            await store.read(lambda reader: _writing(reader, tmp_path))
        assert await store.write(lambda tx: tx.one("SELECT count(*) FROM archive")) == (0,)


def _writing(reader: Reader, folder: Path) -> Any:
    return archiving.write_file(
        reader.connection,
        folder / archive.FOLDER,
        node_id="lisbon-01",
        epoch=1,
        first_seq=1,
        last_seq=PAST - 1,
    )


async def test_the_checkpoint_at_the_newest_archives_end_outlives_newer_ones(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)
        await _archived(store)
        for _ in range(CHECKPOINTS_KEPT_MAX + 1):
            await store.write(receive)
            fold = await store.read(_sum_of_all)
            await store.write(lambda tx, fold=fold: checkpoints.record(tx, checkpoints.checkpoint_of(fold)))
        kept = await store.write(
            lambda tx: [row[0] for row in tx.execute("SELECT basis_seq FROM checkpoint")]
        )
        assert len(kept) == CHECKPOINTS_KEPT_MAX + 1
        assert PAST - 1 in kept
        assert await _archived(store), "the next archive begins where the last one ends"
        assert (await store.read(Reader.verify))["ok"]


def _sum_of_all(reader: Reader) -> Fold:
    fold = checkpoints.newest_trusted(reader.connection)
    assert fold is not None
    assert walk(live_events(reader.connection, fold.seq), fold) is None
    return fold


async def test_what_a_crash_left_is_finished_first_even_if_nothing_new_is_worth_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_store(tmp_path) as store:
        await _past(store)
        with monkeypatch.context() as crash:
            crash.setattr(archiving, "delete_archived", _falling(archiving.delete_archived, iter((1, 2)), 2))
            with pytest.raises(_PowerLoss):
                await _archived(store)
        (tmp_path / archive.FOLDER / "journal-1-000000000001-000000000003.part").write_text("half")
    with opened_store(tmp_path) as store:
        steps = await _all(_service(store).run(0, events_min=1_000))
        assert steps == [{"step": "deleting", "events": PAST - 1}]
        await _archived(store)
        assert not list((tmp_path / archive.FOLDER).glob("*.part")), "nor what an older try has left"


class _PowerLoss(Exception):
    """Nothing between here and the test knows it, so nothing goes on after it."""


@contextmanager
def _crash_at(monkeypatch: pytest.MonkeyPatch, number: int) -> Any:
    """The process is gone at the number-th of the calls that matter: each step, file operation and commit."""
    calls = iter(range(1, 10_000))
    with monkeypatch.context() as patch:
        for owner, name in (
            (archiving, "_append"),
            (archiving, "_check_read_back"),
            (archiving, "put_in_place"),
            (archiving, "commit"),
            (archiving.checkpoints, "record"),
            (archiving, "delete_archived"),
            (archiving, "forget_commands"),
        ):
            patch.setattr(owner, name, _falling(getattr(owner, name), calls, number))
        yield


def _falling(call: Any, calls: Any, number: int) -> Any:
    def fall(*args: Any, **named: Any) -> Any:
        before = next(calls)
        if before == number:
            raise _PowerLoss
        result = call(*args, **named)
        if before == number - 1 and call.__name__ == "put_in_place":
            raise _PowerLoss
        return result

    return fall


async def _try_to_archive(folder: Path) -> bool:
    """In an 'agent' of its own; whether it came to its end."""
    with opened_store(folder) as store:
        try:
            await _archived(store)
        except _PowerLoss:
            return False
        return True


async def test_a_crash_at_any_step_loses_nothing_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = 0
    for number in range(1, 100):
        folder = tmp_path / str(number)
        folder.mkdir()
        with opened_store(folder) as store:
            await _past(store)
            before = await store.events_after(0, PAST - 1)
        with _crash_at(monkeypatch, number):
            ended = await _try_to_archive(folder)
        assert verified(folder)["ok"], f"after a crash at {number}"
        with closing(Reader(folder / "ledger.db")) as reader:
            after = reader.events(0, PAST - 1)
            after += reader.events(after[-1].seq, PAST - 1 - len(after))
            assert after == before
        assert await _try_to_archive(folder)
        report = verified(folder)
        assert report["ok"], report["problem"]
        assert report["archives"] >= 1
        assert not list((folder / archive.FOLDER).glob("*.part"))
        with closing(Reader(folder / "ledger.db")) as reader:
            assert reader.journal(0, 1)[0]["seq"] >= PAST
        crashes += not ended
        if ended:
            break
    assert crashes >= 8

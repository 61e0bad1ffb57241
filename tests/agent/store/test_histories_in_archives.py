"""A history goes on into the archive files when it is asked to, and says where it stopped when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.core.ledger import DOCK, Goods
from bodega.errors import NotFound
from bodega_agent.store import archive, ledger
from bodega_agent.store.reads.histories import history
from bodega_agent.store.reads.names import Kind
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.ledger_care import archive_all
from support.node_under_test import opened_store

OATS = [((Kind.SKU, "OAT"),)]


async def _receive(store: Store, sku_id: str) -> None:
    def work(tx: Transaction) -> None:
        ledger.move(tx, Context(f"cmd-{tx.head.seq}"), "receive", [Goods(sku_id, 1)], target_bin=DOCK)

    await store.write(work)


async def _two_archives(store: Store) -> list[str]:
    """Oats first and last, in both archives and in the journal, with rye between."""
    files = []
    for _ in range(2):
        for sku_id in ("OAT", "RYE", "RYE"):
            await _receive(store, sku_id)
        files.append(await archive_all(store))
    await _receive(store, "OAT")
    return files


async def test_the_whole_history_is_there_with_the_archives_and_its_end_is_said_without(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        await _two_archives(store)
        live = await store.read(lambda reader: history(reader, OATS, limit=10))
        both = await store.read(lambda reader: history(reader, OATS, limit=10, archives=True))
        seqs = [told.seq for told in both.events]
    assert live.first_seq > 1
    assert live.complete
    assert [told.seq for told in live.events] == [seq for seq in seqs if seq >= live.first_seq]
    assert len(seqs) == 3
    assert seqs[-1] == 1
    assert (both.first_seq, both.complete) == (1, True)


async def test_a_question_goes_on_inside_an_archive(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await _two_archives(store)
        every = await store.read(lambda reader: history(reader, [], limit=100, archives=True))
        seqs = [told.seq for told in every.events]
        assert seqs == list(range(seqs[0], 0, -1))
        for before in seqs:
            rest = await store.read(
                lambda reader, before=before: history(reader, [], limit=100, before=before, archives=True)
            )
            assert [told.seq for told in rest.events] == list(range(before - 1, 0, -1))


async def test_an_archive_that_is_gone_is_named_instead_of_told_as_nothing(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        oldest, _newest = await _two_archives(store)
        (tmp_path / archive.FOLDER / oldest).unlink()
        with pytest.raises(NotFound, match="events 1 to 2 can not be read"):
            await store.read(lambda reader: history(reader, OATS, limit=10, archives=True))


async def test_a_dropped_archive_is_where_the_history_ends(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        oldest, _newest = await _two_archives(store)
        await store.write(
            lambda tx: tx.execute("UPDATE archive SET dropped = 1 WHERE file = ?", (oldest,)) and None
        )
        found = await store.read(lambda reader: history(reader, OATS, limit=10, archives=True))
    assert found.complete
    assert found.first_seq == 3
    assert len(found.events) == 2

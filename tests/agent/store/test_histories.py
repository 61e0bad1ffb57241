"""The history of one thing: every event that names it, newest first, none that only looks like it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.core.ledger import DOCK, Goods, Reference, stage_of
from bodega.v1 import journal_pb2, stock_pb2
from bodega_agent.cli.journal_text import SENTENCES, one_line, told
from bodega_agent.store import ledger
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads import histories
from bodega_agent.store.reads.histories import history, of_order
from bodega_agent.store.reads.names import NAMES, Kind, names_in
from bodega_agent.store.transaction import Context, Transaction
from support.filled import filled, text_fields
from support.node_under_test import HubPen, opened_store

FACTS = [field.name for field in journal_pb2.NodeEvent.DESCRIPTOR.oneofs_by_name["fact"].fields]
# What a text field of a fact names; a history must find the event by it.
NAMING_FIELDS = {
    "sku_id": Kind.SKU,
    "bin": Kind.BIN,
    "bin_id": Kind.BIN,
    "lot": Kind.LOT,
    "serials": Kind.SERIAL,
    "fulfillment_order_id": Kind.ORDER,
    "order_id": Kind.ORDER,
    "sscc": Kind.PARCEL,
    "reservation_id": Kind.RESERVATION,
    "transfer_id": Kind.TRANSFER,
}


def _event(fact: str) -> journal_pb2.NodeEvent:
    event = journal_pb2.NodeEvent(cmd_id="c-1", at_ms=1, actor="ana", device="scanner-1")
    filled(getattr(event, fact))
    return event


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_of_the_journal_has_a_sentence_and_says_what_it_is_about(fact: str) -> None:
    event = _event(fact)
    assert fact in SENTENCES
    assert one_line(event).strip()
    assert told(7, event).startswith("#7  1970-01-01 00:00:00Z  ana at scanner-1: ")
    assert fact in NAMES
    named = names_in(event)
    for name in set(text_fields(getattr(event, fact))) & NAMING_FIELDS.keys():
        assert (NAMING_FIELDS[name], f"the-{name}") in named


def test_a_fact_of_a_newer_version_is_said_to_be_one_and_names_nothing() -> None:
    event = journal_pb2.NodeEvent.FromString(b"\xfa\x3f\x03abc")
    assert "newer version" in one_line(event)
    assert names_in(event) == frozenset()


def _context(number: int) -> Context:
    return Context(f"cmd-{number}", actor="ana", device="scanner-1")


def _a_day(tx: Transaction) -> None:
    """Events 1 to 5: two SKUs whose names begin alike, a pick for an order that finds a unit, a label."""
    ledger.move(tx, _context(1), "receive", [Goods("OAT-1", 5, lot="L1")], target_bin=DOCK)
    ledger.move(tx, _context(2), "receive", [Goods("OAT-10", 5)], target_bin=DOCK)
    ledger.move(
        tx,
        _context(3),
        "pick",
        [Goods("OAT-1", 1, lot="L1", serials=("S1",))],
        source_bin="A-01-01",
        target_bin=stage_of("FO-1"),
        reference=Reference(fulfillment_order_id="FO-1"),
    )
    tx.append(_context(4), label_advanced=journal_pb2.LabelAdvanced(sscc="SSCC-1", state="queued", copy=1))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("day")

    async def fill() -> None:
        with opened_store(folder) as store:
            await HubPen(store).fulfillment_order(1, ("OAT-1", 1))
            await store.write(_a_day)
            await store.write(lambda tx: tx.execute("UPDATE fulfillment_order SET sscc = 'SSCC-1'") and None)

    asyncio.run(fill())
    reader = Reader(folder / "ledger.db")
    yield reader
    reader.close()


@pytest.mark.parametrize(
    ("wanted", "seqs"),
    [
        ([((Kind.SKU, "OAT-1"),)], [4, 3, 1]),
        ([((Kind.SKU, "OAT-10"),)], [2]),
        ([((Kind.BIN, DOCK),)], [2, 1]),
        ([((Kind.BIN, "A-01-01"),)], [4, 3]),
        ([((Kind.LOT, "L1"),)], [4, 3, 1]),
        ([((Kind.SERIAL, "S1"),)], [3]),
        ([((Kind.SKU, "OAT-1"),), ((Kind.BIN, DOCK),)], [1]),
        ([((Kind.SKU, "OAT-1"), (Kind.SKU, "OAT-10"))], [4, 3, 2, 1]),
        # The device is called so, too; an actor or a device is not what a history is about.
        ([((Kind.BIN, "scanner-1"),)], []),
        ([((Kind.SKU, "A-01-01"),)], []),
        ([], [5, 4, 3, 2, 1]),
    ],
)
def test_a_history_has_the_events_that_name_all_that_was_asked_for(day: Reader, wanted, seqs) -> None:
    found = history(day, wanted, limit=10)
    assert [event.seq for event in found.events] == seqs
    assert found.complete
    assert found.more == 0


@pytest.mark.parametrize("order", ["FO-1", "ORD-1"])
def test_an_order_is_found_by_either_name_and_with_it_its_parcels_labels(day: Reader, order: str) -> None:
    found = history(day, [of_order(day, order)], limit=10)
    assert [event.seq for event in found.events] == [5, 4, 3]


def test_a_short_answer_says_how_many_more_there_are_and_goes_on_from_there(day: Reader) -> None:
    wanted = [((Kind.SKU, "OAT-1"),)]
    first = history(day, wanted, limit=1)
    assert ([event.seq for event in first.events], first.more) == ([4], 2)
    rest = history(day, wanted, limit=10, before=4)
    assert [event.seq for event in rest.events] == [3, 1]


@pytest.mark.parametrize("window", [1, 2, 3, 5])
def test_no_event_is_lost_or_told_twice_where_two_windows_meet(
    day: Reader, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(histories, "HISTORY_WINDOW_EVENTS_MAX", window)
    everything = ((Kind.SKU, "OAT-1"), (Kind.SKU, "OAT-10"), (Kind.PARCEL, "SSCC-1"))
    assert [event.seq for event in history(day, [everything], limit=10).events] == [5, 4, 3, 2, 1]
    assert [event.seq for event in history(day, [], limit=window).events] == [5, 4, 3, 2, 1][:window]


def test_one_question_looks_at_a_bounded_number_of_events_and_says_where_it_stopped(
    day: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "HISTORY_EVENTS_SEARCHED_MAX", 3)
    found = history(day, [((Kind.LOT, "L1"),)], limit=10)
    assert [event.seq for event in found.events] == [4, 3]
    assert not found.complete
    assert found.searched_from == 3
    rest = history(day, [((Kind.LOT, "L1"),)], limit=10, before=found.searched_from)
    assert [event.seq for event in rest.events] == [1]
    assert rest.complete


def test_names_longer_than_a_byte_can_count_are_found(tmp_path: Path) -> None:
    long_name = "N" * 200

    async def fill() -> None:
        with opened_store(tmp_path) as store:
            opened = stock_pb2.DiscrepancyOpened(bin_id="A", sku_id=long_name, difference=1, reason="found")
            await store.write(lambda tx: tx.append(_context(1), discrepancy_opened=opened))

    asyncio.run(fill())
    reader = Reader(tmp_path / "ledger.db")
    found = history(reader, [((Kind.SKU, long_name),)], limit=1)
    reader.close()
    assert [event.seq for event in found.events] == [1]


def test_an_empty_journal_has_no_history_and_says_that_this_was_all(tmp_path: Path) -> None:
    with_nothing = Reader(_empty_ledger(tmp_path))
    found = history(with_nothing, [((Kind.SKU, "OAT-1"),)], limit=1)
    with_nothing.close()
    assert found.events == ()
    assert found.complete


def _empty_ledger(folder: Path) -> Path:
    async def make() -> None:
        with opened_store(folder):
            pass

    asyncio.run(make())
    return folder / "ledger.db"

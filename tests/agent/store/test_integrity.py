"""Whatever changes the ledger behind the agent's back is found, and the first bad thing is named."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from bodega_agent.store.integrity import BackgroundWalk, Fold, Trouble
from bodega_agent.store.reader import Reader
from support.ledger_care import BIN, STAGE, receive, relocate, tamper, verified
from support.node_under_test import opened_store

FLIP_BODY = (
    "UPDATE journal SET body = CAST(substr(body, 1, 8) || x'ff' || substr(body, 10) AS BLOB) WHERE seq = 3"
)
FLIP_HASH = "UPDATE journal SET hash = CAST(x'00' || substr(hash, 2) AS BLOB) WHERE seq = 3"
LOSE = "DELETE FROM journal WHERE seq = 3"
SWAP = "UPDATE journal SET seq = 1000 WHERE seq = 3"
MORE = f"UPDATE balance SET quantity = quantity + 1 WHERE bin = '{BIN}' AND sku_id = 'SKU-1'"
GONE = f"DELETE FROM balance WHERE bin = '{BIN}' AND sku_id = 'SKU-1'"
EXTRA = "INSERT INTO balance VALUES ('SKU-9', 'B-02-01', 'sellable_accessible', '', '', '', 1)"
OUTSIDE = "UPDATE balance SET quantity = quantity - 1 WHERE external = 'supplier' AND sku_id = 'SKU-1'"
MOVED = f"UPDATE serial SET bin = '{STAGE}' WHERE serial = 'S1'"
SHIPPED = "UPDATE serial SET bin = '', external = 'carrier' WHERE serial = 'S1'"

EVENT_3 = [
    (FLIP_BODY, 3, "event 3 does not hash to what was recorded"),
    (FLIP_HASH, 3, "event 3 does not hash to what was recorded"),
    (LOSE, 3, "event 3 is missing"),
    (SWAP, 3, "event 3 is missing"),
]
TABLES = [
    (MORE, f"the balance of SKU-1 in {BIN} is 10, its events add up to 9"),
    (GONE, f"the balance of SKU-1 in {BIN} is 0, its events add up to 9"),
    (EXTRA, "the balance of SKU-9 in B-02-01 is 1, its events add up to 0"),
    (OUTSIDE, "the balance of SKU-1 in supplier is -11, its events add up to -10"),
    (MOVED, f"serial S1 of SKU-2 is in {STAGE} (sellable_accessible), by its events it is in {BIN}"),
    (SHIPPED, f"serial S1 of SKU-2 is not in the node, by its events it is in {BIN} (sellable_accessible)"),
]


async def _past(folder: Path) -> None:
    """Seven events: SKU-1 received twice and moved once, SKU-2 with two serials."""
    with opened_store(folder) as store:
        await store.write(receive)
        await store.write(receive)
        await store.write(lambda tx: receive(tx, 2, "SKU-2", ("S1", "S2")))
        await store.write(relocate)


def _background(folder: Path, walk: BackgroundWalk) -> Trouble | None:
    with closing(Reader(folder / "ledger.db")) as reader:
        at_head, trouble = False, None
        while not at_head and trouble is None:
            at_head, trouble = walk.step(reader.connection, 2)
        return trouble


@pytest.mark.parametrize(("tampering", "seq", "problem"), EVENT_3)
async def test_the_first_bad_event_is_named(tmp_path: Path, tampering: str, seq: int, problem: str) -> None:
    await _past(tmp_path)
    tamper(tmp_path, tampering)

    report = verified(tmp_path)
    assert (report["ok"], report["first_bad_seq"], report["problem"]) == (False, seq, problem)
    assert _background(tmp_path, BackgroundWalk()) == Trouble("event", problem, seq)


@pytest.mark.parametrize(("tampering", "problem"), TABLES)
async def test_a_row_that_is_not_the_sum_of_its_events_is_named_with_book_and_journal(
    tmp_path: Path, tampering: str, problem: str
) -> None:
    await _past(tmp_path)
    tamper(tmp_path, tampering)

    report = verified(tmp_path)
    assert not report["ok"]
    assert not report["balances_ok"]
    assert report["problem"].startswith(problem)
    trouble = _background(tmp_path, BackgroundWalk())
    assert trouble is not None
    assert trouble.problem == report["problem"]


async def test_a_row_that_no_event_touched_since_it_was_right_was_changed_outside_of_the_journal(
    tmp_path: Path,
) -> None:
    await _past(tmp_path)
    walk = BackgroundWalk()
    assert _background(tmp_path, walk) is None
    assert walk.sound_seq == 7
    with opened_store(tmp_path) as store:
        await store.write(lambda tx: receive(tx, 1, "SKU-3"))
    tamper(tmp_path, MORE)

    trouble = _background(tmp_path, walk)
    assert trouble is not None
    assert trouble.seq is None
    assert "no event after event 7 (where it was right) touched it" in trouble.problem
    assert "changed outside of the journal" in trouble.problem


async def test_else_the_first_event_that_touched_it_since_then_is_named(tmp_path: Path) -> None:
    await _past(tmp_path)
    walk = BackgroundWalk()
    assert _background(tmp_path, walk) is None
    with opened_store(tmp_path) as store:
        await store.write(lambda tx: receive(tx, 1, "SKU-3"))
        await store.write(relocate)
        await store.write(relocate)
    tamper(tmp_path, MORE)

    trouble = _background(tmp_path, walk)
    assert trouble is not None
    assert trouble.seq == 10
    assert "the first event after event 7 (where it was right) that touched it is 10" in trouble.problem


async def test_a_forged_chain_whose_postings_do_not_sum_to_zero_is_found(tmp_path: Path) -> None:
    """Somebody who can hash can make a chain; the postings still have to make sense."""
    from bodega.core.chain import link
    from bodega.v1 import journal_pb2

    await _past(tmp_path)
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        before, last = reader.events(5, 2)
    forged = journal_pb2.NodeEvent.FromString(last.body)
    forged.movement.postings[1].quantity += 1
    body = forged.SerializeToString()
    tamper(
        tmp_path,
        f"UPDATE journal SET body = x'{body.hex()}', hash = x'{link(before.hash, body).hex()}' WHERE seq = 7",
    )

    report = verified(tmp_path)
    assert report["first_bad_seq"] == 7
    assert "does not sum to zero" in report["problem"]


async def test_a_forged_movement_of_goods_that_are_not_there_is_found(tmp_path: Path) -> None:
    from bodega.core.chain import link
    from bodega.v1 import journal_pb2

    await _past(tmp_path)
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        before, last = reader.events(5, 2)
    for quantity, serials, problem in (
        (11, (), f"SKU-1 in {BIN} falls below zero"),
        (1, ("S9",), "where it is not"),
    ):
        forged = journal_pb2.NodeEvent.FromString(last.body)
        for posting in forged.movement.postings:
            posting.quantity = quantity if posting.quantity > 0 else -quantity
            posting.serials[:] = serials
        body = forged.SerializeToString()
        tamper(
            tmp_path,
            f"UPDATE journal SET body = x'{body.hex()}', hash = x'{link(before.hash, body).hex()}' WHERE seq = 7",
        )
        report = verified(tmp_path)
        assert report["first_bad_seq"] == 7
        assert problem in report["problem"]


async def test_the_background_walk_goes_on_from_where_it_stood(tmp_path: Path) -> None:
    await _past(tmp_path)
    walk = BackgroundWalk()
    assert _background(tmp_path, walk) is None
    tamper(tmp_path, FLIP_BODY)
    with opened_store(tmp_path) as store:
        await store.write(receive)

    assert _background(tmp_path, walk) is None, "event 3 was walked before it was changed"
    assert walk.fold.seq == 9
    assert _background(tmp_path, BackgroundWalk(Fold())) == Trouble("event", EVENT_3[0][2], 3)


async def test_a_page_that_sqlite_can_not_read_is_trouble_and_no_crash(tmp_path: Path) -> None:
    await _past(tmp_path)
    path = tmp_path / "ledger.db"
    with closing(apsw.Connection(str(path))) as raw:
        ((page,),) = raw.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'")
        size = raw.pragma("page_size")
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    report = verified(tmp_path)
    assert not report["ok"]
    assert report["problem"].startswith("SQLite can not read the ledger")
    trouble = _background(tmp_path, BackgroundWalk())
    assert trouble is not None
    assert trouble.kind == "file"

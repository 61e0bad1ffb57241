"""A checkpoint is worth the replay that it saves, and is believed only if the chain vouches for it."""

from __future__ import annotations

from contextlib import closing
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega.codec import parse_node_event
from bodega.core.checkpoints import canonical_line, physical_sha256
from bodega.core.ledger import SUPPLIER, Account
from bodega.limits import CHECKPOINTS_KEPT_MAX
from bodega_agent.store import checkpoints
from bodega_agent.store.integrity import BackgroundWalk, Fold, compare, live_events, walk
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction
from support.ledger_care import BIN, receive, relocate, tamper, verified
from support.node_under_test import opened_store


def _fold(connection: apsw.Connection, start: Fold | None = None) -> Fold:
    fold = start or Fold()
    assert walk(live_events(connection, fold.seq), fold) is None
    return fold


async def _checkpoint(store: Store) -> int:
    made = await store.read(lambda reader: checkpoints.checkpoint_of(_fold(reader.connection)))
    return await store.write(lambda tx: checkpoints.record(tx, made))


def test_the_hash_of_the_stock_is_that_of_its_lines_whatever_the_order_and_without_the_world_outside() -> (
    None
):
    shelf = Account("SKU-1", "A-01-01", "sellable_accessible", "L1", "brand")
    odd = Account('SKU "2"', "Ünd\n", "damaged")
    outside = Account("SKU-1", external=SUPPLIER)
    lines = [
        '["","SKU \\"2\\"","","Ünd\\n","damaged",2]\n',
        '["brand","SKU-1","L1","A-01-01","sellable_accessible",5]\n',
    ]
    expected = sha256("".join(lines).encode()).digest()

    assert canonical_line(odd, 2).decode() + "\n" == lines[0]
    assert physical_sha256({shelf: 5, odd: 2, outside: -7}) == expected
    assert physical_sha256([(odd, 2), (shelf, 5), (Account("SKU-3", "A", "damaged"), 0)]) == expected
    assert physical_sha256({shelf: 5, odd: 3}) != expected


async def test_a_checkpoint_is_an_event_of_the_chain_that_names_the_stock(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await store.write(receive)
        await store.write(lambda tx: receive(tx, 2, "SKU-2", ("S1", "S2")))
        assert await _checkpoint(store) == 5

        (event,) = await store.read(lambda reader: reader.events(4, 1))
        said = parse_node_event(event.body).ledger_checkpoint
        stock = await store.read(Reader.stock)
        held = {
            Account(r["sku_id"], r["bin"], r["disposition"], r["lot"], r["owner"]): r["quantity"]
            for r in stock
        }
        assert (said.basis_seq, said.basis_hash) == (4, await store.hash_at(4))
        assert said.physical_sha256 == physical_sha256(held)
        assert said.accounts == 4
        assert (await store.read(lambda reader: reader.verify(since_checkpoint=True)))["from_seq"] == 5


CHANGES = (
    "UPDATE checkpoint SET snapshot = x'00'",
    "UPDATE checkpoint SET snapshot = (SELECT snapshot FROM checkpoint ORDER BY seq LIMIT 1) WHERE seq = 6",
    "UPDATE checkpoint SET basis_seq = 3 WHERE seq = 6",
    "UPDATE checkpoint SET basis_hash = zeroblob(32) WHERE seq = 6",
    "UPDATE checkpoint SET seq = 4 WHERE seq = 6",
    "UPDATE journal SET hash = zeroblob(32) WHERE seq = 5",
)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_checkpoint_that_the_chain_does_not_vouch_for_is_passed_over(
    tmp_path: Path, change: str
) -> None:
    with opened_store(tmp_path) as store:
        await store.write(receive)
        await _checkpoint(store)
        await store.write(receive)
        if change != CHANGES[0]:
            await _checkpoint(store)
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        before = checkpoints.newest_trusted(reader.connection)
    tamper(tmp_path, change)
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        found = checkpoints.newest_trusted(reader.connection)
    assert before is not None
    assert found is None or found.seq < before.seq


async def test_old_checkpoints_go(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await store.write(receive)
        made = [await _checkpoint(store) for _ in range(CHECKPOINTS_KEPT_MAX + 2)]
        kept = await store.write(lambda tx: [row[0] for row in tx.execute("SELECT seq FROM checkpoint")])
        assert sorted(kept) == made[-CHECKPOINTS_KEPT_MAX:]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.integers(1, 9), st.sampled_from(["SKU-1", "SKU-2"])),
        st.tuples(st.just("serials"), st.integers(1, 3), st.just("SKU-S")),
        st.tuples(st.just("relocate"), st.integers(1, 12), st.sampled_from(["SKU-1", "SKU-2"])),
        st.tuples(st.just("checkpoint"), st.just(0), st.just("")),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_a_replay_from_a_checkpoint_equals_the_replay_of_everything(
    steps: list[tuple[str, int, str]],
) -> None:
    import asyncio

    async def check_replays(folder: Path) -> None:
        with opened_store(folder) as store:
            serials = (f"S{n}" for n in range(1_000))
            for step, quantity, sku_id in steps:
                match step:
                    case "receive":
                        await store.write(lambda tx, q=quantity, s=sku_id: receive(tx, q, s))
                    case "serials":
                        some = tuple(next(serials) for _ in range(quantity))
                        await store.write(lambda tx, s=some: _serials(tx, s))
                    case "relocate":
                        await store.write(lambda tx, q=quantity, s=sku_id: relocate(tx, q, s))
                    case _:
                        await _checkpoint(store)
            await store.read(lambda reader: _same_replays(reader.connection))

    with TemporaryDirectory() as folder:
        asyncio.run(check_replays(Path(folder)))


def _serials(tx: Transaction, serials: tuple[str, ...]) -> None:
    receive(tx, len(serials), "SKU-S", serials)
    relocate(tx, 1, "SKU-S", serials[:1])


def _same_replays(connection: apsw.Connection) -> None:
    everything = _fold(connection)
    assert compare(connection, everything) is None
    from_checkpoint = _fold(connection, checkpoints.newest_trusted(connection))
    assert (from_checkpoint.seq, from_checkpoint.hash) == (everything.seq, everything.hash)
    assert from_checkpoint.balances == everything.balances
    assert from_checkpoint.serials == everything.serials
    assert checkpoints.checkpoint_of(from_checkpoint) == checkpoints.checkpoint_of(everything)


async def test_the_background_walk_begins_at_the_newest_checkpoint_and_finds_what_came_after(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        await store.write(receive)
        await _checkpoint(store)
        await store.write(relocate)
    tamper(tmp_path, f"UPDATE balance SET quantity = 1 WHERE bin = '{BIN}'")
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        step = BackgroundWalk(checkpoints.newest_trusted(reader.connection)).step(reader.connection, 100)
    assert step[1] is not None
    assert "after event 2 (where it was right) that touched it is 4" in step[1].problem
    assert not verified(tmp_path, since_checkpoint=True)["ok"]

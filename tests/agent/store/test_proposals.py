"""Edits at a node, on a real ledger: what is its own is in force at once and stays so; all are told to the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bodega.codec import parse_node_event
from bodega.errors import InvalidInput
from bodega.v1 import catalogue_pb2
from bodega_agent.rules.floor.putaway import suggest
from bodega_agent.store import bins_for, catalogue, proposals
from bodega_agent.store.transaction import Context, Transaction
from support.command_bodies import BINS
from support.small_ledger import SmallLedger, stock_catalogue

ANA = Context("edit-1", actor="ana")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SmallLedger]:
    opened = SmallLedger(tmp_path)
    opened.write(stock_catalogue)
    yield opened
    opened.close()


def propose(ledger: SmallLedger, kind: str, subject: str, **values: str) -> dict[str, Any]:
    return ledger.write(
        lambda tx: proposals.propose(
            tx, ANA, kind=kind, subject=subject, values=values, reason="on the scale"
        )
    )


def told(ledger: SmallLedger) -> list[catalogue_pb2.FieldProposed]:
    rows = ledger.rows("SELECT body FROM journal WHERE fact = 'field_proposed' ORDER BY seq")
    return [parse_node_event(row[0]).field_proposed for row in rows]


def walk(ledger: SmallLedger) -> dict[str, int]:
    return dict(ledger.rows("SELECT bin_id, walk_order FROM bin"))


def test_a_shared_field_is_told_to_the_hub_with_the_version_that_was_seen(ledger: SmallLedger) -> None:
    done = propose(ledger, "sku", "PLAIN", weight_g="1034", volume_ml="1000")
    assert [one["in_force"] for one in done["proposals"]] == [False, False]
    weight, _volume = told(ledger)
    assert (weight.subject, weight.field, weight.value, weight.base_version, weight.reason) == (
        "PLAIN",
        "weight_g",
        "1034",
        1,
        "on the scale",
    )
    sku = catalogue_pb2.Sku.FromString(ledger.rows("SELECT body FROM sku WHERE sku_id = 'PLAIN'")[0][0])
    assert sku.weight_g == 0, "it comes back as the hub's record, or not at all"


def test_where_a_bin_stands_is_the_nodes_word_also_after_a_new_profile(ledger: SmallLedger) -> None:
    assert propose(ledger, "bin", BINS[1], walk_order="77")["proposals"][0]["in_force"]
    assert walk(ledger)[BINS[1]] == 77
    bins = [catalogue_pb2.Bin(bin_id=bin_id, walk_order=5) for bin_id in BINS]
    ledger.write(lambda tx: catalogue.put_profile(tx, catalogue_pb2.NodeProfile(bins=bins, version=2)))
    assert walk(ledger) == {BINS[0]: 5, BINS[1]: 77, BINS[2]: 5}


def test_goods_are_put_away_where_people_here_want_them(ledger: SmallLedger) -> None:
    propose(ledger, "sku", "PLAIN", home_bin="A-02")
    assert _suggested(ledger, "PLAIN") == "A-02"
    assert _suggested(ledger, "OWNED") != "A-02"


def _suggested(ledger: SmallLedger, sku_id: str) -> str:
    def look(tx: Transaction) -> str:
        load = bins_for.load_of(tx, sku_id)
        found = suggest.best(load, bins_for.candidates(tx, load, (), set_apart=False))
        return found.bin_id if found else ""

    return ledger.write(look)


def test_every_fault_of_an_edit_is_named_and_nothing_is_written(ledger: SmallLedger) -> None:
    faults: list[tuple[str, str]] = []
    for kind, subject, values in (
        ("sku", "PLAIN", {"name": "x", "weight_g": "heavy", "colour": "red", "home_bin": "Z-9"}),
        ("sku", "GHOST", {"weight_g": "1"}),
        ("bin", "Z-9", {"walk_order": "1"}),
        ("shop", "x", {"y": "z"}),
        ("setting", "vision.mode", {"value": "sometimes"}),
    ):
        with pytest.raises(InvalidInput) as refusal:
            propose(ledger, kind, subject, **values)
        faults += [(fault.where, fault.problem) for fault in refusal.value.faults]
    assert [where for where, _ in faults] == [
        "name", "weight_g", "colour", "home_bin", "subject", "subject", "kind", "value",
    ]  # fmt: skip
    assert "the hub's own" in faults[0][1]
    assert "must be one of advisory, blocking, off" in faults[-1][1]
    assert told(ledger) == []

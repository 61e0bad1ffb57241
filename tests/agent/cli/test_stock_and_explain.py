"""`bodega stock`, `ledger log` and `ledger explain` as a person reads them, from the file of a node that is down."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bodega.core.ledger import DOCK, Goods
from bodega.errors import NotFound
from bodega.v1 import catalogue_pb2, stock_pb2
from bodega_agent.cli import bodega_group
from bodega_agent.store import ledger, promises, rights
from bodega_agent.store.transaction import Context, Transaction
from support.bodega_command import write_config
from support.node_under_test import HubPen, opened_store


def _who(number: int) -> Context:
    return Context(f"cmd-{number}", actor="ana", device="scanner-1")


def _a_day(tx: Transaction) -> None:
    for number, goods in enumerate(
        [Goods("SKU-1", 6), Goods("SKU-1", 4), Goods("PHONE", 1, serials=("S1",))]
    ):
        ledger.move(tx, _who(number), "receive", [goods], target_bin=DOCK)
        ledger.move(tx, _who(number), "put_away", [goods], source_bin=DOCK, target_bin="A-01-01")
    granted = stock_pb2.RightsGranted(transfer_id="T-1", sku_id="SKU-1", quantity=5)
    rights.take(tx, Context("hub-9", actor="hub"), granted)
    promises.reserve(tx, _who(4), reservation_id="R-1", sku_id="SKU-1", quantity=2, reference="pickup 17")
    ledger.move(tx, _who(5), "pick", [Goods("SKU-1", 1)], source_bin="B-02-01", target_bin="STAGE-FO-9")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("node")

    async def fill() -> None:
        with opened_store(folder) as store:
            hub = HubPen(store)
            await hub.profile()
            await hub.sku(1)
            await hub.write(
                sku=catalogue_pb2.Sku(sku_id="PHONE", name="Phone", serial_tracked=True, version=1)
            )
            await hub.fulfillment_order(1, ("SKU-1", 4))
            await store.write(_a_day)

    asyncio.run(fill())
    return write_config(folder)


def _run(config: Path, *command: str) -> Result:
    return CliRunner().invoke(
        bodega_group, command, env={"BODEGA_CONFIG": str(config)}, prog_name="bodega", catch_exceptions=False
    )


def test_stock_is_listed_with_a_total(config: Path) -> None:
    shown = _run(config, "stock", "--sku", "SKU-1", "--bin", "A-01-01").output.splitlines()
    assert shown[1].split() == ["A-01-01", "SKU-1", "Product", "1", "-", "-", "sellable_accessible", "10"]
    assert shown[-1] == "total: 10"


def test_stock_is_summed_by_what_was_asked_for(config: Path) -> None:
    shown = _run(config, "stock", "--group", "sku", "--group", "disposition").output.splitlines()
    assert [line.split() for line in shown[1:]] == [
        ["PHONE", "sellable_accessible", "1", "1"],
        ["SKU-1", "in_progress", "1", "1"],
        ["SKU-1", "sellable_accessible", "1", "10"],
        ["total:", "12"],
    ]


def test_a_serial_number_says_where_it_is(config: Path) -> None:
    shown = _run(config, "stock", "--serial", "S1").output
    assert shown.splitlines()[1].split()[:3] == ["S1", "PHONE", "A-01-01"]
    assert _run(config, "stock", "--serial", "S9").output == "No such serial number.\n"


def test_atp_is_a_row_that_adds_up(config: Path) -> None:
    (row,) = json.loads(_run(config, "stock", "atp", "SKU-1", "--json").output)
    assert row == {
        "sku_id": "SKU-1",
        "name": "Product 1",
        "on_hand": 11,
        "sellable": 10,
        "hub_reserved": -4,
        "local_reserved": -2,
        "shortfall": 0,
        "held_back": 0,
        "no_right": -1,
        "available": 3,
    }
    shown = _run(config, "stock", "atp").output
    assert shown.splitlines()[0].split()[-1] == "ATP"


def test_open_differences_are_listed(config: Path) -> None:
    shown = _run(config, "stock", "discrepancies").output
    assert shown.splitlines()[1].split()[3:] == ["B-02-01", "SKU-1", "-", "1", "found"]


def test_why_is_atp_3(config: Path) -> None:
    told = _run(config, "ledger", "explain", "SKU-1", "-n", "1").output
    assert told == WHY


WHY = """\
SKU-1 Product 1

   +10  sellable: on sellable places, not expired
            +4  #4  1970-01-01 00:00:00Z  ana at scanner-1: put 4 SKU-1 away from the dock into A-01-01
            +6  older than these: --limit shows more

    -4  hub_reserved: promised to the hub's orders, not yet picked
            -4  FO-1 of order ORD-1 is assigned: 4 asked, 0 picked, 0 short (event 4 of the hub)

    -2  local_reserved: promised here, not yet handed over
            -2  #8  1970-01-01 00:00:00Z  ana at scanner-1: reservation R-1 of 2 SKU-1 for pickup 17: \
reserve, now pending (2 pending)

    +0  shortfall: promised, but not on the shelf any more

    +0  held_back: kept back by a person

    -1  no_right: for the hub to promise, not for the node
        the node holds the right to promise 5, and 2 of them are promised
            +5  #7  1970-01-01 00:00:00Z  hub: the node has taken the right to promise 5 SKU-1 and holds 5 (T-1)

     3  may be promised by this node (ATP)

Shelf and book differ, and nobody has counted since:
            +1  #10  1970-01-01 00:00:00Z  ana at scanner-1: B-02-01 holds 1 SKU-1 more than the book said (found)
"""


def test_the_explanation_is_one_document_for_programs(config: Path) -> None:
    told = json.loads(_run(config, "ledger", "explain", "SKU-1", "--json").output)
    assert told["available"] == sum(line["units"] for line in told["lines"]) == 3
    shelf = told["lines"][0]
    assert [entry["seq"] for entry in shelf["entries"]] == [4, 2]
    assert shelf["older_units"] == 0


def test_a_sku_that_nobody_knows_is_not_found_and_says_what_to_ask(config: Path) -> None:
    with pytest.raises(NotFound, match="never heard of SKU 'TYPO'") as caught:
        _run(config, "ledger", "explain", "TYPO")
    assert "bodega stock atp" in caught.value.hint


def test_a_history_says_how_many_more_there_are_and_how_to_see_them(config: Path) -> None:
    shown = _run(config, "ledger", "log", "--sku", "SKU-1", "-n", "2")
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == ["10", "9"]
    assert shown.stderr == "6 older ones: add --before 9\n"
    rest = _run(config, "ledger", "log", "--sku", "SKU-1", "--before", "9", "--json")
    assert [event["seq"] for event in json.loads(rest.stdout)] == [8, 7, 4, 3, 2, 1]
    assert rest.stderr == ""


def test_a_promise_and_its_rights_are_found_by_their_own_names(config: Path) -> None:
    for option, name, seq in (
        ("--reservation", "R-1", "8"),
        ("--transfer", "T-1", "7"),
        ("--serial", "S1", "6"),
    ):
        shown = _run(config, "ledger", "log", option, name).stdout.splitlines()
        assert shown[1].split()[0] == seq


def test_the_newest_events_say_how_to_see_older_ones(config: Path) -> None:
    assert _run(config, "ledger", "log", "-n", "3").stderr == "older ones: add --before 8\n"
    assert _run(config, "ledger", "log").stderr == ""


def test_all_events_oldest_first_go_with_nothing_else(config: Path) -> None:
    assert _run(config, "ledger", "log", "--after", "0", "--sku", "SKU-1").exit_code == 2
    shown = _run(config, "ledger", "log", "--after", "8").output
    assert [line.split()[0] for line in shown.splitlines()[1:]] == ["9", "10"]

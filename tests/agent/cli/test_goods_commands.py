"""A count with its basis, an edit for the hub, and a scan sent again: `bodega` against a real agent."""

from __future__ import annotations

from bodega_agent.cli.client import ControlClient
from support.bodega_command import answer, bodega
from support.node_under_test import scan_text


def test_a_count_begins_is_raced_and_becomes_a_task(node):
    assert bodega(node, "ledger", "do", "receive", "sku_id=SKU-2", "quantity=9").returncode == 0
    begun = bodega(node, "ledger", "do", "count_begin", "bin_id=B-02-01")
    assert "Count B-02-01 now, and say basis_seq=" in begun.stdout
    basis = begun.stdout.rpartition("basis_seq=")[2].split()[0]
    moved = bodega(node, "ledger", "do", "put_away", "sku_id=SKU-2", "quantity=4", "to_bin_id=B-02-01")
    assert moved.returncode == 0, moved.stderr
    counted = bodega(
        node, "ledger", "do", "count", "sku_id=SKU-2", "bin_id=B-02-01", "quantity=1", f"basis_seq={basis}"
    )
    assert counted.returncode == 0, counted.stderr
    assert "there is a task at B-02-01: count SKU-2" in counted.stdout
    assert "count races movements: nothing is booked for SKU-2 in B-02-01" in counted.stdout
    assert [row["quantity"] for row in answer(node, "stock", "--bin", "B-02-01")] == [4]
    (task,) = [task for task in answer(node, "tasks") if task["kind"] == "count"]
    assert (task["place"], task["sku_id"]) == ("B-02-01", "SKU-2")
    assert "B-02-01: SKU-2" in bodega(node, "tasks").stdout


def test_an_edit_is_in_force_here_or_told_to_the_hub(node):
    words = (
        "catalog",
        "propose",
        "sku",
        "SKU-1",
        "weight_g=1034",
        "home_bin=A-01-02",
        "--reason",
        "on the scale",
    )
    done = bodega(node, *words)
    assert done.returncode == 0, done.stderr
    weight, home = done.stdout.splitlines()
    assert weight.startswith("weight_g of SKU-1 = 1034 is told to the hub, which decides (lisbon-01/1/")
    assert home.startswith("home_bin of SKU-1 = A-01-02 is in force here")
    newest = bodega(node, "ledger", "log", "--limit", "2").stdout
    assert "sku SKU-1: weight_g should be 1034 (on the scale)" in newest
    once = ("catalog", "propose", "bin", "A-01-01", "walk_order=7", "--cmd-id", "edit-1")
    assert answer(node, *once) == answer(node, *once)


def test_an_edit_that_can_not_be_names_every_fault(node):
    done = bodega(node, "catalog", "propose", "sku", "SKU-1", "name=Tea", "weight_g=heavy")
    assert done.returncode == 65
    assert "name: is the hub's own" in done.stderr
    assert "weight_g: must be a whole number" in done.stderr
    assert bodega(node, "catalog", "propose", "sku", "SKU-1", "weight_g").returncode == 65


def test_a_scan_that_is_sent_again_over_the_socket_is_one_scan(node):
    with ControlClient.of(node) as agent:
        about = {"device": "hand-1", "counter_name": "hand-1/boot-7"}
        agent.ask("scan", text="CMD-RECEIVE", counter=1, **about)
        first, again = (agent.ask("scan", text=scan_text(1), counter=2, **about) for _ in range(2))
    assert (first["text"], first["tone"]) == (again["text"], again["tone"])
    assert [row["quantity"] for row in answer(node, "stock", "--bin", "DOCK", "--sku", "SKU-1")] == [1]

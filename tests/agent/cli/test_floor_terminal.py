"""A shift with `bodega floor` through a pipe, and what the other commands say of it afterwards.

One story in order, on one agent: `make test` deals out whole files.
"""

from __future__ import annotations

import csv
import io
import json

from support.bodega_command import answer, bodega
from support.node_under_test import BINS, scan_text
from support.terminal import Screen

MILK, BREAD = scan_text(1), scan_text(2)


def work(node, *lines, device="terminal"):
    done = bodega(node, "floor", "--device", device, "--json", stdin="\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_shift_from_the_keyboard(node):
    prompts = work(node, "receive", MILK, MILK, MILK, BREAD, "done")
    assert prompts[0]["text"] == "An order waits. CMD-PICK takes it."
    assert prompts[1]["text"] == "Receiving. Scan what came in, or CMD-DONE."
    assert [prompt["scan_no"] for prompt in prompts] == [0, 1, 2, 3, 4, 5, 6]
    work(node, "putaway", MILK, MILK, MILK, BINS[0], BREAD, BINS[1], "done")
    rows = answer(node, "stock", "--sku", "SKU-1")
    assert [(row["bin"], row["disposition"], row["quantity"]) for row in rows] == [
        (BINS[0], "sellable_accessible", 3)
    ]
    prompts = work(node, "pick", BINS[1], BINS[0], MILK, MILK)
    assert [prompt["tone"] for prompt in prompts[-5:]] == ["ok", "error", "ok", "ok", "ok"]
    assert prompts[-1]["expect"]["values"] == ["CMD-PACK"]


def test_the_terminal_comes_back_to_where_its_device_was(node):
    prompts = work(node)
    assert prompts[0]["step"] == "pack"
    assert prompts[0]["expect"]["fulfillment_order_id"] == "FO-1"


def test_a_packed_order_waits_for_its_label(node):
    prompt = work(node, "pack")[-1]
    (task,) = [task for task in answer(node, "tasks") if task["fulfillment_order_id"] == "FO-1"]
    assert task["state"] == "packed"
    assert task["sscc"] == prompt["expect"]["sscc"]
    (label,) = answer(node, "labels", "ls")
    assert (label["state"], label["copy"], label["sscc"]) == ("queued", 1, task["sscc"])
    refused = bodega(node, "labels", "reprint", task["sscc"], "--reason", "torn")
    assert refused.returncode == 1
    assert "next:" in refused.stderr


def test_orders_show_how_far_they_are(node):
    orders = answer(node, "orders")
    assert [(order["fulfillment_order_id"], order["state"]) for order in orders] == [
        ("FO-1", "packed"),
        ("FO-2", "assigned"),
    ]
    assert orders[0]["lines"][0]["picked"] == 2
    assert "FO-2" in bodega(node, "orders", "--state", "assigned").stdout


def test_the_journal_can_be_read_and_shown(node):
    events = answer(node, "ledger", "log", "--after", "0", "--limit", "1000")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["event"]["receipt_advanced"]["state"] == "open"
    first = events[1]
    assert first["event"]["movement"]["command"] == "receive"
    assert first["event"]["device"] == "terminal"
    shown = bodega(node, "ledger", "show", "2")
    assert "received 1 SKU-1 from the supplier at the dock" in shown.stdout
    newest = bodega(node, "ledger", "log", "-n", "2").stdout
    assert "label of " in newest
    assert answer(node, "ledger", "show", "2") == first


def test_the_ledger_verifies(node):
    verdict = answer(node, "ledger", "verify")
    assert verdict["ok"]
    assert verdict["events"] > 0


def test_the_journal_is_exported_while_the_agent_runs(node):
    exported = bodega(node, "ledger", "export")
    rows = [json.loads(line) for line in exported.stdout.splitlines()]
    assert len(rows) == answer(node, "ledger", "verify")["events"]
    table = bodega(node, "ledger", "export", "--format", "csv", "--after", "1").stdout
    parsed = list(csv.DictReader(io.StringIO(table)))
    assert len(parsed) == len(rows) - 1
    assert json.loads(parsed[0]["event"]) == rows[1]["event"]


def test_exported_balances_sum_to_zero(node):
    table = bodega(node, "ledger", "export", "--table", "balance", "--format", "csv").stdout
    assert sum(int(row["quantity"]) for row in csv.DictReader(io.StringIO(table))) == 0


def test_a_person_sees_marks_and_details(node):
    done = bodega(node, "floor", "--device", "lane-2", stdin="dance\n\n")
    assert "\n! Dance is no bin of this node" in done.stdout
    assert "CMD-PICK" in done.stdout


def test_the_status_says_that_all_is_well(node):
    facts = answer(node, "status")
    assert facts["node_id"] == "lisbon-01"
    assert facts["tasks"] == {"assigned": 1, "packed": 1}
    assert bodega(node, "status", "--check").returncode == 0
    shown = bodega(node, "status").stdout
    assert "health    all is well" in shown
    assert "0 events, sound" not in shown


def test_a_node_without_a_hub_says_so(node):
    assert "works alone" in bodega(node, "sync", "status").stdout
    assert answer(node, "sync", "status")["configured"] is False


def test_a_node_without_devices_says_what_to_do(node):
    assert "[[scanners]]" in bodega(node, "devices", "ls").stdout
    assert answer(node, "devices", "ls")["devices"] == []


def test_an_event_that_is_not_there_is_not_found(node):
    missing = bodega(node, "ledger", "show", "4711")
    assert missing.returncode == 66
    assert "the newest is" in missing.stderr


def test_on_a_terminal_a_wrong_scan_rings_and_news_appears_by_itself(node):
    screen = Screen(node, "lane-3")
    screen.wait_for("You may type")
    screen.type("dance\n")
    screen.wait_for("\a! Dance is no bin of this node")
    work(node, "receive", device="lane-3")
    screen.wait_for("Receiving. Scan what came in, or CMD-DONE.")
    assert screen.close() == 0

"""`bodega ledger do` against a real agent: one command, once, and every fault named."""

from __future__ import annotations

import json

from support.bodega_command import answer, bodega


def test_a_command_in_words_is_done_and_said_as_a_sentence(node):
    done = bodega(node, "ledger", "do", "receive", "sku_id=SKU-1", "quantity=5")
    assert done.returncode == 0, done.stderr
    assert "received 5 SKU-1 from the supplier at the dock" in done.stdout
    assert done.stderr.startswith("cmd_id "), "the id is there to repeat the command, should no answer come"


def test_the_same_id_is_done_once_and_with_another_body_refused(node):
    words = (
        "ledger",
        "do",
        "receive",
        "sku_id=SKU-2",
        "bin_id=A-01-02",
        "quantity=3",
        "--cmd-id",
        "by-hand-1",
    )
    first, again = answer(node, *words), answer(node, *words)
    assert first == again
    other = bodega(node, *words, "reason=more")
    assert other.returncode == 65
    assert "by-hand-1" in other.stderr
    assert [row["quantity"] for row in answer(node, "stock", "--bin", "A-01-02")] == [3]


def test_a_json_object_comes_from_standard_input(node):
    body = {"command": "count", "cmd_id": "by-hand-2", "sku_id": "SKU-1", "bin_id": "B-02-01", "quantity": 4}
    done = bodega(node, "ledger", "do", "-", stdin=json.dumps(body))
    assert done.returncode == 0, done.stderr
    assert "counted B-02-01: 4 SKU-1 more than the book said" in done.stdout
    same = bodega(node, "ledger", "do", "count", "sku_id=SKU-1", "bin_id=B-02-01", "quantity=4")
    assert "nothing to record" in same.stdout


def test_every_fault_of_a_command_is_named_with_its_field(node):
    done = bodega(node, "ledger", "do", "receive", "sku_id=SKU-11", "bin_id=A-01-0", "quantity=1")
    assert done.returncode == 65
    assert "sku_id: 'SKU-11' is no SKU in the catalogue: did you mean SKU-1" in done.stderr
    assert "bin_id: 'A-01-0' is no bin of this node" in done.stderr
    done = bodega(node, "ledger", "do", "receive", "sku_id=SKU-1", "quantity=1.5", "colour=red")
    assert done.returncode == 65
    assert "quantity: must be a whole number from 1 to 1000000, is '1.5'" in done.stderr
    assert "'colour'" in done.stderr


def test_a_word_that_is_neither_command_nor_file_is_not_found(node):
    done = bodega(node, "ledger", "do", "teleport")
    assert done.returncode == 66
    assert "receive" in done.stderr

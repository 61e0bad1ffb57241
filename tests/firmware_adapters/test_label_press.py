"""A node's own fonts and layouts, and nothing loaded before there is a label to make."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bodega.errors import ConfigInvalid, NotFound
from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.labels.document import LabelDocument, parcel
from bodega_adapters.labels.layout import shipped
from bodega_adapters.labels.making import render, trial_label
from bodega_adapters.labels.press import Press
from bodega_adapters.ports import PrinterAbilities

ZEBRA = PrinterAbilities("zpl", 8, 102, says_status=True, confirms=True)
RECEIPTS = PrinterAbilities("escpos", 8, 48, says_status=True, confirms=False)
PARCEL = parcel(sscc=make_sscc(3, "9501101", 5), order_id="o", ship_to=("Ana",), ship_from=("B",), service="")
OWN = """name = "parcel"
title = "Ours"
width_mm = 100
height_mm = 60
[sample]
sscc = [""]
order_id = [""]
[[text]]
at_mm = [5, 2]
size_mm = [90, 6]
text = "OURS {order_id}"
letter_mm = 5
[[code]]
at_mm = [2, 10]
size_mm = [96, 45]
symbology = "gs1-128"
data = "(00){sscc}"
use = "logistic"
"""


def test_a_layout_of_the_node_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    file = tmp_path / "parcel.toml"
    file.write_text(OWN)
    made = Press.of([], [file]).make(PARCEL.to_bytes(), ZEBRA)
    assert made.findings == ()
    assert b"OURS o" in made.data
    assert b"OURS" not in Press().make(PARCEL.to_bytes(), ZEBRA).data


def test_a_layout_with_a_fault_or_that_is_not_there_is_refused_when_the_agent_starts(tmp_path: Path) -> None:
    file = tmp_path / "parcel.toml"
    file.write_text(OWN.replace("letter_mm = 5", "letter_mm = 0"))
    with pytest.raises(ConfigInvalid) as caught:
        Press.of([], [file])
    assert [(fault.where, fault.line) for fault in caught.value.faults] == [("text.0.letter_mm", 12)]
    with pytest.raises(NotFound):
        Press.of([], [tmp_path / "missing.toml"])


def test_what_is_no_font_and_what_is_no_document_refuse_the_job_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "font.ttf"
    file.write_bytes(b"no font")
    made = Press([file]).make(PARCEL.to_bytes(), ZEBRA)
    assert "font.ttf can not be used" in str(made.faults[0])
    assert "no label that can be read" in str(Press().make(b"{", ZEBRA).faults[0])


@pytest.mark.parametrize("abilities", [ZEBRA, RECEIPTS])
def test_every_printer_has_a_test_label_that_fits_it(abilities):
    document = trial_label("bench", abilities)
    assert render(document, abilities)
    assert shipped(document.kind).width_mm <= abilities.width_mm


def test_the_ledger_reads_documents_without_loading_fonts_or_pictures():
    program = (
        "import sys, bodega_agent.store.labels, bodega_agent.services.printing; print('PIL' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "False"


def test_a_document_of_a_kind_that_nobody_knows_is_refused_by_name():
    assert "no label layout 'x'" in str(Press().make(LabelDocument("x").to_bytes(), ZEBRA).faults[0])

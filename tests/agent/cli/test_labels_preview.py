"""`bodega labels preview`: what a layout's author sees before the label meets paper."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from bodega_agent.cli.labels_preview import preview
from support.printed_zpl import read_back
from support.tree import ROOT


def run(*arguments: str) -> Result:
    return CliRunner().invoke(preview, arguments)


def example() -> str:
    """The worked example of firmware_adapters/README.md."""
    text = (ROOT / "firmware_adapters" / "README.md").read_text()
    return text.split("```toml\nname = ")[1].split("```")[0]


def test_the_layout_of_the_readme_works_and_its_barcode_reads(tmp_path: Path) -> None:
    layout, out = tmp_path / "shelf.toml", tmp_path / "shelf.png"
    layout.write_text("name = " + example())
    done = run(str(layout), "--set", "bin_id=B-7", "--dpi", "300", "--out", str(out), "--json")
    assert json.loads(done.output) | {"bytes": 0} == {"bytes": 0, "faults": [], "losses": []}
    assert done.exit_code == 0
    assert read_back(Image.open(out)) == {b"B-7": "]C0"}


@pytest.mark.parametrize(
    ("suffix", "head"), [(".pdf", b"%PDF"), (".zpl", b"^XA"), (".bin", b"\x1b@"), (".png", b"\x89PNG")]
)
def test_a_label_is_written_as_the_file_is_named(tmp_path: Path, suffix: str, head: bytes) -> None:
    out = tmp_path / f"label{suffix}"
    assert run("bin", "--out", str(out)).exit_code == 0
    assert out.read_bytes().startswith(head)


def test_a_carriers_label_is_previewed_as_it_will_print(tmp_path: Path) -> None:
    carrier, out = tmp_path / "carrier.pdf", tmp_path / "printed.png"
    run("parcel", "--out", str(carrier))
    assert run(str(carrier), "--out", str(out)).exit_code == 0
    assert list(read_back(Image.open(out)).values()) == ["]C1"]


def test_what_a_printer_would_refuse_and_what_would_be_lost_are_named(tmp_path: Path) -> None:
    refused = run("parcel", "--set", "sscc=1")
    assert refused.exit_code == 1
    assert "refused: sscc: barcode gs1-128" in refused.output
    lost = run("bin", "--set", "note=" + "long " * 90)
    assert lost.exit_code == 0
    assert "loss: note: does not fit" in lost.output


@pytest.mark.parametrize("arguments", [("bin", "--set", "bin=x"), ("bin", "--out", "label.gif"), ("bottle",)])
def test_a_wrong_word_is_answered_with_those_that_there_are(arguments: tuple[str, ...]) -> None:
    error = run(*arguments).exception
    assert error is not None
    assert getattr(error, "hint", "")

"""A layout is data: every shipped one is sound, and a node's own one is told all its faults with their lines."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from bodega.errors import ConfigInvalid, NotFound
from bodega.limits import LAYOUT_BYTES_MAX, LAYOUT_ELEMENTS_MAX
from bodega_adapters.labels import layout
from bodega_adapters.labels.document import LabelDocument, of_layout
from bodega_adapters.labels.making import preflight, render, sheet_of
from bodega_adapters.labels.sheet import Drawing
from bodega_adapters.ports import PrinterAbilities

ZEBRA = PrinterAbilities("zpl", 8, 102, says_status=True, confirms=True)
OWN = """name = "shelf"
title = "Shelf"
width_mm = 60
height_mm = 40

[sample]
bin_id = ["A-1"]

[[text]]
at_mm = [2, 2]
size_mm = [56, 8]
text = "{bin_id}"
letter_mm = 7

[[code]]
at_mm = [2, 12]
size_mm = [56, 20]
symbology = "code-128"
data = "{bin_id}"
"""
# One black dot.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="


def faults_of(text: str) -> list[tuple[str, int | None]]:
    with pytest.raises(ConfigInvalid) as caught:
        layout.parse(text)
    assert caught.value.hint
    return [(fault.where, fault.line) for fault in caught.value.faults]


def test_the_shipped_layouts_are_those_that_a_node_needs():
    needed = {"parcel", "carrier", "bin", "tote", "item", "badge", "test", "test-narrow", "packing-slip"}
    assert needed == set(layout.shipped_names())
    with pytest.raises(NotFound, match="no label layout 'label'") as caught:
        layout.shipped("label")
    assert "parcel" in caught.value.hint
    with pytest.raises(NotFound):
        layout.shipped("../document")


def test_a_nodes_own_layout_prints_and_the_job_keeps_it_whole(tmp_path: Path):
    file = tmp_path / "shelf.toml"
    file.write_text(OWN)
    document = of_layout(layout.load(file), {"bin_id": ("A-1",)})
    assert document.kind == "shelf"
    file.unlink()
    zpl = render(LabelDocument.from_bytes(document.to_bytes()), ZEBRA)
    assert b"^FDA-1^FS" in zpl
    assert b"^BCN," in zpl
    assert preflight(document, ZEBRA) == []


def test_every_fault_of_a_layout_is_named_at_once_with_its_line():
    text = (
        OWN.replace("letter_mm = 7", 'letter_mm = "big"').replace('"code-128"', '"code-39"') + "colour = 1\n"
    )
    assert faults_of(text) == [("text.0.letter_mm", 13), ("code.0.symbology", 18), ("code.0.colour", 20)]


@pytest.mark.parametrize(
    ("change", "where", "line"),
    [
        (('text = "{bin_id}"', 'text = "{bin}"'), "text.0.text", 12),
        (('data = "{bin_id}"', 'data = "{bin_id:upper}"'), "code.0.data", 19),
        (("size_mm = [56, 8]", "size_mm = [58.1, 8]"), "text.0.at_mm", 10),
        (("size_mm = [56, 20]", "size_mm = [56, 29]"), "code.0.at_mm", 16),
        (("size_mm = [56, 8]", "size_mm = [56]"), "text.0.size_mm", 11),
        (("at_mm = [2, 2]", "at_mm = [-2, 2]"), "text.0.at_mm", 10),
        (("letter_mm = 7", 'letter_mm = 7\nwhen = "there"'), "text.0.when", 14),
        (('name = "shelf"', 'name = "My shelf"'), "name", 1),
        (("width_mm = 60", "width_mm = 0"), "width_mm", 3),
        (("[[code]]", "[[code]"), "file", 15),
    ],
)
def test_each_fault_names_its_key_and_its_line(change, where, line):
    assert change[0] in OWN
    assert (where, line) in faults_of(OWN.replace(*change, 1))


def test_a_layout_is_bounded():
    rule = "[[rule]]\nat_mm = [1, 1]\nlength_mm = 5\n"
    most = LAYOUT_ELEMENTS_MAX - 2
    assert len(layout.elements(layout.parse(OWN + rule * most))) == LAYOUT_ELEMENTS_MAX
    assert faults_of(OWN + rule * (most + 1)) == [("name", 1)]
    padding = "#" * (LAYOUT_BYTES_MAX - len(OWN))
    assert layout.parse(OWN + padding).name == "shelf"
    assert faults_of(OWN + padding + "#") == [("file", None)]
    assert faults_of("name = 'x'\ntitle = ''\nwidth_mm = 9\nheight_mm = 9\n") == [("name", 1)]


def test_a_picture_is_a_png_and_is_scaled_to_its_place():
    picture = f'[[picture]]\nat_mm = [40, 2]\nsize_mm = [10, 5]\npng = "{PNG}"\n'
    sheet = sheet_of(of_layout(OWN + picture, {"bin_id": ("A-1",)}), ZEBRA)
    drawn = [mark for mark in sheet.marks if isinstance(mark, Drawing)]
    assert [(mark.place.width, mark.place.height) for mark in drawn] == [(40, 40)]
    assert set(drawn[0].bitmap.rows) == {255}
    for wrong in ("", "####", base64.b64encode(b"GIF89a").decode()):
        assert faults_of(OWN + picture.replace(PNG, wrong))[0][0] == "picture.0.png"


def test_a_picture_that_is_broken_inside_is_a_loss_and_not_the_end_of_the_label():
    broken = base64.b64encode(base64.b64decode(PNG)[:30]).decode()
    document = of_layout(
        OWN + f'[[picture]]\nat_mm = [40, 2]\nsize_mm = [10, 5]\npng = "{broken}"\n', {"bin_id": ("A",)}
    )
    assert [fault.where for fault in preflight(document, ZEBRA)] == ["picture"]
    assert render(document, ZEBRA)

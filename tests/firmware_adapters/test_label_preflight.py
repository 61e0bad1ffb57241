"""Before a byte is sent: what does not fit is found and named, and what can not be read is never printed."""

from __future__ import annotations

import pytest

from bodega.errors import InvalidInput
from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.labels.document import LabelDocument, of_layout, parcel
from bodega_adapters.labels.fonts import Fonts
from bodega_adapters.labels.making import make, preflight, render, sheet_of
from bodega_adapters.labels.sheet import Symbol, Words
from bodega_adapters.labels.symbols import LIMITS
from bodega_adapters.ports import PrinterAbilities

SSCC = make_sscc(3, "9501101", 5)


def zebra(dots_per_mm: int = 8, width_mm: int = 102) -> PrinterAbilities:
    return PrinterAbilities("zpl", dots_per_mm, width_mm, says_status=True, confirms=True)


def own(code: str, *, text: str = "", size: str = "100\nheight_mm = 60") -> LabelDocument:
    """A label of a layout of its own with this barcode and text."""
    head = f'name = "own"\ntitle = ""\nwidth_mm = {size}\n[sample]\nvalue = ["x"]\nother = [""]\n'
    written = f"{head}{text}\n[[code]]\n{code}\n"
    return of_layout(written, {"value": ("9501101-ABC",)})


def problems(document: LabelDocument, abilities: PrinterAbilities | None = None) -> list[tuple[str, bool]]:
    return [(str(found.fault), found.fatal) for found in make(document, abilities or zebra()).findings]


def check_only(
    document: LabelDocument, words: str, *, fatal: bool, abilities: PrinterAbilities | None = None
) -> None:
    """Exactly this is found, `preflight` says it, and `render` prints or refuses accordingly."""
    abilities = abilities or zebra()
    ((problem, is_fatal),) = problems(document, abilities)
    assert words in problem
    assert is_fatal == fatal
    assert [str(fault) for fault in preflight(document, abilities)] == [problem]
    if fatal:
        with pytest.raises(InvalidInput) as caught:
            render(document, abilities)
        assert [str(fault) for fault in caught.value.faults] == [problem]
    else:
        assert render(document, abilities).startswith(b"^XA")


AREA = "at_mm = [5, 5]\nsize_mm = [90, 40]\nsymbology = "
CODE = AREA + '"code-128"\ndata = "{value}"'


def test_a_barcode_that_fits_has_no_finding():
    assert problems(own(CODE)) == []


@pytest.mark.parametrize("dots_per_mm", [8, 12])
def test_the_sscc_of_a_parcel_has_gs1s_sizes(dots_per_mm):
    document = parcel(sscc=SSCC, order_id="o", ship_to=("a",), ship_from=("b",), service="c")
    sheet = sheet_of(document, zebra(dots_per_mm))
    (symbol,) = (mark for mark in sheet.marks if isinstance(mark, Symbol))
    limits = LIMITS["logistic", "gs1-128"]
    assert limits.module_min <= symbol.module / dots_per_mm <= limits.module_max
    assert symbol.place.height / dots_per_mm >= limits.height_min
    quiet = 10 * symbol.module
    assert symbol.place.x >= quiet
    assert symbol.place.right + quiet <= sheet.width
    line = next(mark for mark in sheet.marks if isinstance(mark, Words) and mark.text == f"(00) {SSCC}")
    assert line.place.y >= symbol.place.bottom


def test_a_barcode_too_wide_gets_smaller_modules_and_below_the_legal_size_it_is_refused():
    def narrow(width: int) -> LabelDocument:
        return own(CODE.replace("[90, 40]", f"[{width}, 40]"))

    modules = {}
    for width in (90, 60, 45, 40):
        (symbol,) = (m for m in sheet_of(narrow(width), zebra()).marks if isinstance(m, Symbol))
        modules[width] = symbol.module
    assert modules == {90: 4, 60: 3, 45: 2, 40: 2}
    check_only(narrow(38), "too wide: 134 modules and quiet zones of 10 need 38.5 mm", fatal=True)


def test_a_logistic_barcode_too_low_or_too_small_is_refused():
    logistic = AREA + '"gs1-128"\nuse = "logistic"\ndata = "(00)' + SSCC + '"'
    assert problems(own(logistic)) == []
    check_only(own(logistic.replace("[90, 40]", "[90, 35]")), "31.75 mm", fatal=True)
    check_only(
        own(logistic.replace("[90, 40]", "[85, 40]")), "smallest legal X-dimension of 4 dots", fatal=True
    )
    check_only(own(logistic.replace("gs1-128", "code-128")), "no use logistic", fatal=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("(00)" + SSCC[:-1] + str((int(SSCC[-1]) + 1) % 10), "check digit"),
        ("(01)9501101530003", "14"),
        ("(01)09501101530003(17)281301", "no month 13"),
        ("(10)lot 7", "lot 7"),
        ("(98765)1", "not made of GS1 elements"),
        ("x(10)1", "not made of GS1 elements"),
        ("(05)1", "(05)"),
        ("{other}", "not made of GS1 elements"),
        ("(10){other}", "not made of GS1 elements"),
    ],
)
def test_a_gs1_barcode_that_would_say_something_wrong_is_refused(data, words):
    check_only(own(AREA + f'"gs1-128"\ndata = "{data}"'), words, fatal=True)


def test_what_the_symbology_can_not_say_is_refused():
    check_only(own(CODE.replace("{value}", "é")), "not encodable", fatal=True)


@pytest.mark.parametrize(
    "text",
    [
        '[[text]]\nat_mm = [6, 20]\nsize_mm = [14, 5]\ntext = "in the way"\nletter_mm = 3',
        "[[rule]]\nat_mm = [60, 1]\nlength_mm = 50\nupright = true",
        "[[box]]\nat_mm = [12, 1]\nsize_mm = [80, 58]",
    ],
)
def test_what_stands_in_the_quiet_zone_is_named_and_refused(text):
    check_only(own(CODE, text=text), "quiet zone of its barcode is broken by", fatal=True)


def test_a_frame_around_the_quiet_zone_is_no_fault():
    assert problems(own(CODE, text="[[box]]\nat_mm = [1, 1]\nsize_mm = [98, 58]")) == []


def test_two_barcodes_in_each_others_quiet_zone_are_refused():
    second = "\n[[code]]\n" + CODE.replace("[5, 5]", "[10, 30]").replace("[90, 40]", "[80, 25]")
    found = problems(own(CODE + second))
    assert found
    assert all("broken by a symbol" in problem and fatal for problem, fatal in found)


def test_a_barcode_that_nothing_says_to_people_is_a_loss():
    bare = CODE + '\nline = "none"'
    check_only(own(bare), "nothing on the label says its content to people", fatal=False)
    shown = '[[text]]\nat_mm = [5, 50]\nsize_mm = [90, 5]\ntext = "Nr. {value}"\nletter_mm = 3'
    assert problems(own(bare, text=shown)) == []


def test_text_that_overflows_is_cut_with_an_ellipsis_and_counted():
    document = parcel(sscc=SSCC, order_id="o", ship_to=("word " * 400,), ship_from=(), service="")
    check_only(document, "characters were cut", fatal=False)
    assert "_E2_80_A6^FS" in render(document, zebra()).decode()


def test_a_letter_that_no_font_has_is_named_with_the_package_that_brings_it():
    without = Fonts([])
    document = parcel(sscc=SSCC, order_id="o", ship_to=("中 한 é",), ship_from=(), service="")
    (fault,) = preflight(document, zebra(), without)
    assert "中 (U+4E2D)" in str(fault)
    assert "한 (U+D55C)" in str(fault)
    assert "é" in str(fault), "the printer's own font has it, but a line is drawn in one piece"
    assert "apt-get install fonts-dejavu-core fonts-droid-fallback fonts-noto-cjk" in str(fault)
    assert render(document, zebra(), without)


def test_a_label_wider_than_the_printer_is_refused_if_its_barcode_is_cut():
    check_only(own(CODE), "100 mm of label do not fit the 60 mm", fatal=True, abilities=zebra(width_mm=60))
    text = '[[text]]\nat_mm = [60, 55]\nsize_mm = [39, 4]\ntext = "x"\nletter_mm = 3'
    small = CODE.replace("[90, 40]", "[40, 40]")
    check_only(own(small, text=text), "do not fit", fatal=False, abilities=zebra(width_mm=60))


def test_what_can_not_be_rendered_at_all_is_a_finding_too():
    assert problems(LabelDocument("nothing-such"))[0][1]
    with pytest.raises(InvalidInput, match="7 dots/mm"):
        render(own(CODE), zebra(7))
    assert "7 dots/mm" in problems(own(CODE), zebra(7))[0][0]


@pytest.mark.parametrize("symbology", ["datamatrix", "qr"])
def test_matrix_codes_keep_their_quiet_zone_on_all_sides(symbology):
    code = f'at_mm = [0, 0]\nsize_mm = [30, 30]\nsymbology = "{symbology}"\ndata = "{{value}}"\nletter_mm = 2'
    document = own(code, text='[[text]]\nat_mm = [40, 1]\nsize_mm = [30, 4]\ntext = "beside"\nletter_mm = 3')
    assert problems(document) == []
    (symbol,) = (mark for mark in sheet_of(document, zebra()).marks if isinstance(mark, Symbol))
    assert symbol.place.y == LIMITS["internal", symbology].quiet * symbol.module

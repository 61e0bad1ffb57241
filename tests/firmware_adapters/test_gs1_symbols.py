"""Which symbols carry GS1 content and in what form: UPC-E, composites, add-ons, links with the names of old."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.gtin import check_digit
from bodega_adapters.framing.check_digit import expand_upc_e, is_valid_gtin
from bodega_adapters.framing.gs1 import Fault, FaultKind, Message, Need, read_symbol
from bodega_adapters.framing.gs1.message import GS

GTIN = "09501101530003"
SSCC = "395011010000000774"
LINK = f"https://shop.example/01/{GTIN}/10/L-1"


def elements(text: str, symbology: str | None) -> list[tuple[str, str]]:
    parsed = read_symbol(text, symbology)
    assert isinstance(parsed, Message), parsed
    return list(parsed.elements)


@pytest.mark.parametrize(
    ("upc_e", "upc_a"),
    [
        ("04252614", "042100005264"),
        ("00123457", "001234000057"),
        ("01234565", "012345000065"),
        ("04182635", "041800000265"),
        ("01234532", None),
        ("21234565", None),
        ("0123456", None),
        ("0123456x", None),
    ],
)
def test_upc_e_is_expanded_by_its_last_digit(upc_e: str, upc_a: str | None) -> None:
    assert expand_upc_e(upc_e) == upc_a


def suppressed(upc_a: str) -> list[str]:
    """Every UPC-E of a UPC-A, by the rules read the other way round."""
    system, maker, item, check = upc_a[0], upc_a[1:6], upc_a[6:11], upc_a[11]
    found = []
    if maker[2:] in {"000", "100", "200"} and item[:2] == "00":
        found.append(f"{maker[:2]}{item[2:]}{maker[2]}")
    if maker[3:] == "00" and item[:3] == "000":
        found.append(f"{maker[:3]}{item[3:]}3")
    if maker[4] == "0" and item[:4] == "0000":
        found.append(f"{maker[:4]}{item[4]}4")
    if item[:4] == "0000" and item[4] in "56789":
        found.append(f"{maker}{item[4]}")
    return [f"{system}{body}{check}" for body in found]


@given(
    system=st.sampled_from("01"),
    maker=st.integers(0, 99_999)
    | st.integers(0, 999).map(lambda n: n * 100)
    | st.integers(0, 99).map(lambda n: n * 1000),
    item=st.integers(0, 9) | st.integers(0, 999),
)
def test_what_was_suppressed_comes_back(system: str, maker: int, item: int) -> None:
    payload = f"{system}{maker:05}{item:05}"
    upc_a = f"{payload}{check_digit(payload)}"
    assert {expand_upc_e(upc_e) for upc_e in suppressed(upc_a)} <= {upc_a}


def test_eight_digits_are_what_the_symbology_says() -> None:
    assert elements("04252614", "]E0") == [("01", "00042100005264")]
    assert elements("96385074", "]E4") == [("01", "00000096385074")]
    assert isinstance(read_symbol("04252614", "]E4"), Fault)


def test_without_a_symbology_eight_digits_are_the_one_that_is_right_and_both_are_a_fault() -> None:
    assert elements("04252614", None) == [("01", "00042100005264")]
    assert elements("96385074", None) == [("01", "00000096385074")]
    both = next(
        text
        for number in range(10**7)
        if is_valid_gtin(text := f"{number:07}{check_digit(f'{number:07}')}") and expand_upc_e(text)
    )
    parsed = read_symbol(both, None)
    assert isinstance(parsed, Fault)
    assert "UPC-E" in parsed.problem
    assert "AIM" in parsed.hint
    assert elements(both, "]E4") == [("01", both.zfill(14))]


@pytest.mark.parametrize("symbology", ["]C1", "]e0", "]e1", "]d2", "]Q3", "]J1"])
def test_element_strings_come_out_of_every_symbology_that_carries_them(symbology: str) -> None:
    assert elements(f"01{GTIN}10L-1", symbology) == [("01", GTIN), ("10", "L-1")]
    assert elements(f"{symbology}01{GTIN}10L-1", None) == [("01", GTIN), ("10", "L-1")]


@pytest.mark.parametrize("between", ["|]e0", "]e0"])
def test_a_composite_belongs_to_the_digits_under_it(between: str) -> None:
    parsed = read_symbol(f"9501101530003{between}10L-1{GS}17280229", "]E0")
    assert isinstance(parsed, Message)
    assert list(parsed.elements) == [("01", GTIN), ("10", "L-1"), ("17", "280229")]
    assert parsed.unmet == ()


def test_a_composite_that_contradicts_its_digits_or_itself_is_a_fault() -> None:
    for second, kind in (
        ("02095011015300033724", FaultKind.EXCLUDED),
        ("0100000096385074", FaultKind.REPEATED),
        ("17281301", FaultKind.DATE),
        ("", FaultKind.EMPTY),
    ):
        parsed = read_symbol(f"9501101530003|]e0{second}", "]E0")
        assert isinstance(parsed, Fault), second
        assert parsed.kind is kind
        assert parsed.position >= len("9501101530003|]e0")


def test_a_composite_alone_leaves_its_needs_to_the_digits() -> None:
    parsed = read_symbol("10L-1", "]e0")
    assert isinstance(parsed, Message)
    assert parsed.unmet == (Need("10", ("01", "02", "03", "8006", "8026")),)
    assert str(parsed.unmet[0]) == "AI (10) needs (01) or (02) or (03) or (8006) or (8026)"


@pytest.mark.parametrize("symbology", [None, "]Q1", "]d1", "]C0", "]Q2"])
def test_a_digital_link_is_one_in_any_symbol(symbology: str | None) -> None:
    assert elements(LINK, symbology) == [("01", GTIN), ("10", "L-1")]
    assert elements(f"]Q1{LINK}", None) == [("01", GTIN), ("10", "L-1")]


@pytest.mark.parametrize(
    ("link", "carried"),
    [
        ("HTTPS://ID.GS1.ORG/01/9501101530003", [("01", GTIN)]),
        (f"https://a.example/gtin/{GTIN}/lot/L-1/ser/S-9", [("01", GTIN), ("10", "L-1"), ("21", "S-9")]),
        (f"https://a.example/gtin/{GTIN}/cpv/2A?exp=280229", [("01", GTIN), ("22", "2A"), ("17", "280229")]),
        (f"https://a.example/gtin/{GTIN}?expdt=2802291200", [("01", GTIN), ("7003", "2802291200")]),
        (f"https://a.example/sscc/{SSCC}", [("00", SSCC)]),
        ("https://a.example/gln/9501101530003/glnx/32a%2Fb", [("414", "9501101530003"), ("254", "32a/b")]),
        ("https://a.example/8003/09501101530003A%2BB", [("8003", "09501101530003A+B")]),
        (f"https://a.example/01/{GTIN}/10/A+B", [("01", GTIN), ("10", "A+B")]),
        (f"https://a.example/01/{GTIN};v=1", None),
        (f"https://a.example/01/{GTIN}?15=280200;30=12", [("01", GTIN), ("15", "280200"), ("30", "12")]),
        (f"https://a.example/?01={GTIN}", None),
        ("https://a.example/products/42", None),
        ("https://a.example", None),
    ],
)  # fmt: skip
def test_links_on_packs_old_and_new(link: str, carried: list[tuple[str, str]] | None) -> None:
    parsed = read_symbol(link, "]Q1")
    if carried is None:
        assert not isinstance(parsed, Message)
    else:
        assert isinstance(parsed, Message), parsed
        assert list(parsed.elements) == carried


@pytest.mark.parametrize(
    ("link", "kind", "ai"),
    [
        ("https://a.example/01/09501101530004", FaultKind.CHECK_DIGIT, "01"),
        ("https://a.example/01/96385075", FaultKind.CHECK_DIGIT, "01"),
        (f"https://a.example/01/{GTIN}/21/S/10/L", FaultKind.URI, "01"),
        (f"https://a.example/01/{GTIN}?21=S", FaultKind.URI, "21"),
        (f"https://a.example/01/{GTIN}?99=a%23b", FaultKind.CHARACTER, "99"),
        (f"https://a.example/01/{GTIN}?99=a+b", FaultKind.CHARACTER, "99"),
        (f"https://a.example/01/{GTIN}?10=A%1DB", FaultKind.CHARACTER, "10"),
        (f"https://a.example/01/{GTIN}?17=281301", FaultKind.DATE, "17"),
        (f"https://a.example/01/{GTIN}?37=4", FaultKind.EXCLUDED, "37"),
        (f"https://a.example/01/{GTIN}?10=", FaultKind.LENGTH, "10"),
        (f"https://a.example/01/{GTIN}?999=1", FaultKind.UNKNOWN_AI, "999"),
        (f"https://a.example/01/{GTIN}?x=\u00e9", FaultKind.URI, ""),
    ],
)
def test_a_wrong_link_says_what_and_where(link: str, kind: FaultKind, ai: str) -> None:
    parsed = read_symbol(link, "]Q1")
    assert isinstance(parsed, Fault), parsed
    assert (parsed.kind, parsed.ai) == (kind, ai)
    assert 0 < parsed.position < len(link) + (parsed.kind is FaultKind.LENGTH)

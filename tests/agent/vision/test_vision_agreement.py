"""Which readings are believed: enough lines, or two readers; and in one place only one code."""

from __future__ import annotations

import pytest

from bodega_agent.vision.agreement import Ballot, Reading, Symbol


def ean(gtin: str = "4006381333931") -> Symbol:
    return Symbol(gtin.encode(), gtin, "]E0", gtin.zfill(14))


def reading(symbol: Symbol, weight: float, reader: str = "zxing", x: float = 100.0) -> Reading:
    return Reading(symbol, reader, weight, x, 100.0, 50.0)


def believed(*looks: list[Reading]) -> set[str]:
    ballot = Ballot()
    for look in looks:
        ballot.add(look)
    return {symbol.text for symbol in ballot.believed()}


@pytest.mark.parametrize(
    ("looks", "is_believed"),
    [
        ([[reading(ean(), 1.0)]], True),
        ([[reading(ean(), 0.9)]], False),
        ([[reading(ean(), 0.5)], [reading(ean(), 0.5)]], True),
        # Two places of one picture are one opinion.
        ([[reading(ean(), 0.6), reading(ean(), 0.6, x=400)]], False),
        ([[reading(ean(), 0.2)], [reading(ean(), 0.2)]], False),
        ([[reading(ean(), 0.2)], [reading(ean(), 0.3, "zbar")]], True),
        ([[reading(ean(), 0.2)], [reading(ean(), 0.2, "zbar")]], False),
    ],
)
def test_a_code_is_believed_when_its_readings_weigh_enough(looks, is_believed):
    assert bool(believed(*looks)) is is_believed


def test_of_two_codes_in_one_place_the_stronger_is_believed_and_elsewhere_both():
    pen, ghost = ean(), ean("7034759003930")
    assert believed([reading(pen, 1.4), reading(ghost, 1.0)]) == {pen.text}
    assert believed([reading(pen, 1.4), reading(ghost, 1.0, x=300)]) == {pen.text, ghost.text}


def test_a_upc_a_and_the_ean_of_its_gtin_are_one_code_and_a_lot_makes_another():
    upc, as_ean = ean("036000291452"), ean("0036000291452")
    assert len(believed([reading(upc, 0.5)], [reading(as_ean, 0.5)])) == 1
    case = Symbol(b"", "010003600029145210L1", "]C1", "00036000291452")
    assert len(believed([reading(upc, 1.0)], [reading(case, 1.0, x=300)])) == 2


def test_a_frame_is_settled_when_nothing_is_left_in_doubt():
    ballot = Ballot()
    assert not ballot.settled()
    ballot.add([reading(ean(), 1.2), reading(ean("7034759003930"), 0.2)])
    assert ballot.settled()
    ballot.add([reading(ean("5901234123457"), 0.2, x=400)])
    assert not ballot.settled()

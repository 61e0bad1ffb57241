"""One scan out of whatever a device sends: identifier, content and GS1 elements, told apart once for all drivers."""

from __future__ import annotations

import pytest

from bodega_adapters.framing.gs1 import Element
from bodega_adapters.scanning import make_scan

GTIN = "09501101530003"


@pytest.mark.parametrize(
    ("raw", "symbology", "said", "text", "elements"),
    [
        (b"]d201095011015300031728022910L-1", None, "]d2", "01095011015300031728022910L-1",
         (Element("01", GTIN), Element("17", "280229"), Element("10", "L-1"))),
        (b"0109501101530003", "]C1", "]C1", "0109501101530003", (Element("01", GTIN),)),
        (b"]C100", "]C0", "]C0", "]C100", ()),
        (b"9501101530003", None, None, "9501101530003", (Element("01", GTIN),)),
        (b"00395011010000000774", None, None, "00395011010000000774", (Element("00", "395011010000000774"),)),
        (b"A-01-02", None, None, "A-01-02", ()),
        (b"]C101095011015300", None, "]C1", "01095011015300", ()),
        (b"caf\xe9", None, None, "caf\u00e9", ()),
    ],
)  # fmt: skip
def test_a_frame_becomes_a_scan(raw, symbology, said, text, elements):
    scan = make_scan(raw, device="bench", counter=7, at_ms=99, symbology=symbology, counter_name="since-noon")
    assert (scan.raw, scan.text, scan.symbology, scan.elements) == (raw, text, said, elements)
    assert (scan.device, scan.device_counter, scan.at_ms, scan.counter_name) == ("bench", 7, 99, "since-noon")

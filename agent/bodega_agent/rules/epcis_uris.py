"""URIs by which EPCIS knows our goods, parcels, places and papers.

GS1 Digital Link URIs (GS1 Digital Link Standard: URI Syntax; CBV 2.0, section 8) where a GS1 key is known:
`/01/<GTIN>` for a SKU, `/10/<lot>` and `/21/<serial>` below it, `/00/<SSCC>` for a parcel, `/414/<GLN>` for the
node and `/254/<bin>` for a place in it. What has no key, or a lot or serial that GS1 could not carry, gets a URN
of our own, so that nothing is left out and nothing is claimed in GS1's name:

    urn:bodega:sku:<sku id>             urn:bodega:node:<node id>:bin:<bin>
    urn:bodega:lot:<sku id>:<lot>       urn:bodega:serial:<sku id>:<serial>
    urn:bodega:parcel:<sscc as given>   urn:bodega:<kind of paper>:<its id>

A SKU id is unique in the network, so no owner is needed; parts are percent-encoded (RFC 3986).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bodega.core.ledger import parcel_place, unit_place
from bodega_adapters.framing.check_digit import has_valid_check_digit, is_valid_sscc

GTIN_DIGITS = 14
GLN_DIGITS = 13
_DIGITAL_LINK = "https://id.gs1.org"
_RESERVED = re.compile(r"[^A-Za-z0-9._~-]")
# GS1 General Specifications, figure 7.11-1 (set 82), as AIs 10, 21 and 254 allow it.
_QUALIFIER = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}")
_PARCEL_PREFIX = parcel_place("")
_UNIT_PREFIX = unit_place("")


@dataclass(frozen=True, slots=True)
class Uris:
    """Makes the URIs of one node.

    `gln` has 13 digits or is empty; `gtin_of(sku_id)` gives the GTIN of one base unit with 14 digits, or an
    empty text, and may be asked often.
    """

    node_id: str
    gtin_of: Callable[[str], str]
    gln: str = ""

    def goods(self, sku_id: str, lot: str = "") -> str:
        """A class of goods: all units of a SKU, or of one lot of it."""
        gtin = self._gtin(sku_id)
        if not lot:
            return f"{_DIGITAL_LINK}/01/{gtin}" if gtin else own("sku", sku_id)
        if gtin and _QUALIFIER.fullmatch(lot):
            return f"{_DIGITAL_LINK}/01/{gtin}/10/{_percent(lot)}"
        return own("lot", sku_id, lot)

    def unit(self, sku_id: str, serial: str) -> str:
        """One unit, by its serial number."""
        gtin = self._gtin(sku_id)
        if gtin and _QUALIFIER.fullmatch(serial):
            return f"{_DIGITAL_LINK}/01/{gtin}/21/{_percent(serial)}"
        return own("serial", sku_id, serial)

    def place(self, bin_id: str) -> str:
        """A bin, the dock or a stage; a parcel or a pallet is no place, so goods in one are somewhere in the node."""
        if not bin_id or bin_id.startswith((_PARCEL_PREFIX, _UNIT_PREFIX)):
            return f"{_DIGITAL_LINK}/414/{self.gln}" if self.gln else own("node", self.node_id)
        if self.gln and _QUALIFIER.fullmatch(bin_id):
            return f"{_DIGITAL_LINK}/414/{self.gln}/254/{_percent(bin_id)}"
        return own("node", self.node_id, "bin", bin_id)

    def _gtin(self, sku_id: str) -> str:
        gtin = self.gtin_of(sku_id)
        return gtin if len(gtin) == GTIN_DIGITS and has_valid_check_digit(gtin) else ""


def parcel(sscc: str) -> str:
    """A parcel, by its SSCC."""
    return f"{_DIGITAL_LINK}/00/{sscc}" if is_valid_sscc(sscc) else own("parcel", sscc)


def parcel_of_place(bin_id: str) -> str:
    """The SSCC of the parcel that this place is, or an empty text."""
    return bin_id.removeprefix(_PARCEL_PREFIX) if bin_id.startswith(_PARCEL_PREFIX) else ""


def own(kind: str, *names: str) -> str:
    """A URN of ours, such as `urn:bodega:transfer:T-7`."""
    return ":".join(("urn:bodega", kind, *map(_percent, names)))


def is_valid_gln(digits: str) -> bool:
    """Whether this is a GLN: 13 digits with a right check digit."""
    return len(digits) == GLN_DIGITS and has_valid_check_digit(digits)


def _percent(text: str) -> str:
    return _RESERVED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)

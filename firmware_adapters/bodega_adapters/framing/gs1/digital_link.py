"""GS1 Digital Link URIs, uncompressed: a GS1 key and its qualifiers in the path, further AIs in the query.

Rules (GS1 Digital Link Standard: URI Syntax):
- Any domain, and any path before the key. The rightmost key of the path counts, with its qualifiers in their order.
- Names and values of the query that are not AIs are no matter of ours; digits only must be an AI.
- The names that version 1.1 allowed instead of AIs ("gtin", "lot", "ser", ...) are still on packs, and understood.
- A GTIN may have 8, 12 or 13 digits; it is filled up to 14.
- Compressed links are not read: they need GS1's binary tables, and no pack in a node's reach carries one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bodega_adapters.framing.gs1.element_string import parse_value
from bodega_adapters.framing.gs1.message import Element, Fault, FaultKind, Message, Parsed, fault
from bodega_adapters.framing.gs1.pairings import Clash, judge
from bodega_adapters.framing.gs1.percent import percent_decoded
from bodega_adapters.framing.gs1.specs import spec_of

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_ILLEGAL = re.compile(r"[^A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")
_GTIN_SHORT_CHARS = frozenset({8, 12, 13})
# GS1 Digital Link 1.1, section 4.5 (deprecated in 1.2).
NAMES_OF_1_1: dict[str, str] = {
    "sscc": "00",
    "gtin": "01",
    "lot": "10",
    "ser": "21",
    "cpv": "22",
    "gdti": "253",
    "glnx": "254",
    "gcn": "255",
    "ginc": "401",
    "gsin": "402",
    "shipTo": "410",
    "billTo": "411",
    "purchasedFrom": "412",
    "shipFor": "413",
    "gln": "414",
    "payTo": "415",
    "glnProd": "416",
    "grai": "8003",
    "giai": "8004",
    "itip": "8006",
    "cpid": "8010",
    "cpsn": "8011",
    "gmn": "8013",
    "gsrnp": "8017",
    "gsrn": "8018",
    "srin": "8019",
    "refno": "8020",
    "exp": "17",
    "expdt": "7003",
}


class _Part(NamedTuple):
    """A name and its value, still percent-encoded, and where the value begins in the URI."""

    name: str
    encoded: str
    position: int

    @property
    def ai(self) -> str:
        return NAMES_OF_1_1.get(self.name, self.name)


def is_uri(text: str) -> bool:
    """Whether it begins as a web address."""
    return _SCHEME.match(text) is not None


def carries_key(uri: str) -> bool:
    """Whether a web address is one of GS1's: its path has a key. Any other address is a plain code."""
    return bool(_path_parts(uri))


def parse_digital_link(uri: str) -> Parsed:
    """Read a Digital Link URI; elements in the order of path, then query."""
    path = _path_parts(uri)
    if not is_uri(uri) or not path:
        return fault(FaultKind.URI, "", 0, "this is no link with a GS1 key in its path")
    if (illegal := _ILLEGAL.search(uri)) is not None:
        return fault(FaultKind.URI, "", illegal.start(), f"{illegal.group()!r} is not allowed in a link")
    if (wrong := _misplaced(path)) is not None:
        return wrong
    attributes = _query_parts(uri)
    for part in attributes:
        spec = spec_of(part.ai)
        if spec is not None and not spec.is_attribute:
            return fault(
                FaultKind.URI, part.ai, part.position, f"AI ({part.ai}) must not stand in the query of a link"
            )
    elements: list[Element] = []
    for part in (*path, *attributes):
        value = _value(part)
        if (wrong := parse_value(part.ai, value, part.position)) is not None:
            # A value that was filled up or percent-encoded is not as long as it stands in the link.
            return wrong._replace(position=min(wrong.position, part.position + max(len(part.encoded) - 1, 0)))
        elements.append(Element(part.ai, value))
    judged = judge(elements)
    if isinstance(judged, Clash):
        part = (*path, *attributes)[judged.place]
        return fault(judged.kind, part.ai, part.position, judged.problem)
    return Message(tuple(elements), judged)


def _path_parts(uri: str) -> list[_Part]:
    """The rightmost key of the path and what follows it, in pairs; empty if there is none."""
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return []
    path = re.split(r"[?#]", uri, maxsplit=1)[0]
    domain_ends = path.find("/", scheme.end())
    if domain_ends <= scheme.end():
        return []
    parts: list[_Part] = []
    end = len(path)
    # From the right, a pair at a time, as long as the names are AIs, until one of them is a key.
    while True:
        value_at = path.rfind("/", domain_ends, end)
        name_at = path.rfind("/", domain_ends, value_at) if value_at > domain_ends else -1
        if name_at < domain_ends:
            return []
        part = _Part(path[name_at + 1 : value_at], path[value_at + 1 : end], value_at + 1)
        spec = spec_of(part.ai)
        if spec is None:
            return []
        parts.insert(0, part)
        if spec.is_key:
            return parts
        end = name_at


def _misplaced(path: list[_Part]) -> Fault | None:
    """The qualifiers must be some of the key's, in order."""
    key, *qualifiers = path
    spec = spec_of(key.ai)
    assert spec is not None
    given = [part.ai for part in qualifiers]
    if not given or any(_is_in_order(given, ways) for ways in spec.qualifiers):
        return None
    allowed = " or ".join(", ".join(f"({ai})" for ai in ways) for ways in spec.qualifiers) or "nothing"
    problem = f"behind key ({key.ai}) may stand {allowed}, in this order, not {', '.join(f'({ai})' for ai in given)}"
    return fault(FaultKind.URI, key.ai, qualifiers[0].position, problem)


def _is_in_order(given: list[str], ways: tuple[str, ...]) -> bool:
    left = iter(ways)
    return all(ai in left for ai in given)


def _query_parts(uri: str) -> list[_Part]:
    """The names of the query that are AIs, or could only be."""
    query_at = uri.partition("#")[0].find("?") + 1
    if query_at == 0:
        return []
    parts: list[_Part] = []
    position = query_at
    for pair in re.split(r"[&;]", uri.partition("#")[0][query_at:]):
        name, equals, encoded = pair.partition("=")
        if equals and (name in NAMES_OF_1_1 or (name.isascii() and name.isdigit())):
            # In a query, as forms send it, a space is a plus; in a path a plus is a plus.
            parts.append(_Part(name, encoded.replace("+", " "), position + len(name) + 1))
        position += len(pair) + 1
    return parts


def _value(part: _Part) -> str:
    value = percent_decoded(part.encoded)
    return value.zfill(14) if part.ai == "01" and len(value) in _GTIN_SHORT_CHARS else value

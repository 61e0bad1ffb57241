"""GS1 codes: element strings read and judged a second on one core, and what a scan costs on its way to the floor.

The strings are those of a goods-in desk: GTIN, expiry, lot and serial (01, 17, 10, 21), no two alike, so that nothing
is remembered but which AIs go together. The raw limit beside `gs1.parse` is splitting the same strings at GS and no
more, which says neither which AI a value is of, nor whether it is right. `gs1.decode` is the whole way to the meaning
for the floor, `gs1.links` the same content as Digital Links, both beside `gs1.parse`. Seconds are those of the
processor, so that neighbours do not count. Bar: gs1.parse >= 100,000/s.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from random import Random

from benchmarks.result import Result
from bodega.core.gtin import check_digit
from bodega_adapters.framing.gs1 import (
    GS,
    ItemCode,
    Message,
    decode,
    parse_digital_link,
    parse_element_string,
)

NAME = "devices.gs1"

STRINGS = 20_000
ROUNDS = 9


def run() -> Iterator[Result]:
    """One result a figure."""
    random = Random(5)
    items = [item(random) for _ in range(STRINGS)]
    strings = [f"01{gtin}17{expiry}10{lot}{GS}21{serial}" for gtin, expiry, lot, serial in items]
    links = [
        f"https://example.com/01/{gtin}/10/{lot}/21/{serial}?17={expiry}"
        for gtin, expiry, lot, serial in items
    ]
    if not all(isinstance(decode(text, "]d2"), ItemCode) for text in strings):
        raise RuntimeError("the benchmark's own codes are not right")
    if not all(isinstance(parse_digital_link(text), Message) for text in links):
        raise RuntimeError("the benchmark's own links are not right")
    parse, split, decoded, linked = rates(
        [
            (parse_element_string, strings),
            (lambda text: text.split(GS), strings),
            (lambda text: decode(text, "]d2"), strings),
            (parse_digital_link, links),
        ]
    )
    yield Result.against("gs1.parse", parse, "1/s", split)
    yield Result.against("gs1.decode", decoded, "1/s", parse)
    yield Result.against("gs1.links", linked, "1/s", parse)


def item(random: Random) -> tuple[str, str, str, str]:
    """GTIN, expiry, lot and serial of one unit."""
    payload = f"0950110{random.randrange(10**6):06}"
    expiry = f"{random.randint(26, 31)}{random.randint(1, 12):02}{random.randint(0, 28):02}"
    return (
        f"{payload}{check_digit(payload)}",
        expiry,
        f"L{random.randrange(10**6)}",
        f"{random.randrange(10**12):X}",
    )


def rates(works: list[tuple[Callable[[str], object], list[str]]]) -> list[int]:
    """Texts a second of each work; they take turns, so that a slow minute hits all, and medians are compared."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for taken, (work, texts) in zip(times, works, strict=True):
            begun = time.process_time()
            for text in texts:
                work(text)
            taken.append(time.process_time() - begun)
    return [round(STRINGS / statistics.median(taken)) for taken in times]

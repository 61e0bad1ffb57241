"""Where postal codes are, from a file that somebody keeps in a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.errors import ConfigInvalid
from bodega_controlplane.app.views import GeoPoint
from bodega_controlplane.exchange.places import load_places

ROWS = "country,postal_prefix,latitude,longitude\nPT,1,38.72,-9.14\nPT,1100,38.71,-9.13\nPT,,39.5,-8.0\n"
IN_PORTUGAL = ROWS.replace(",", ";").replace(".", ",").replace("\n", "\r\n")


def written(folder: Path, text: str) -> Path:
    path = folder / "places.csv"
    path.write_text(text, encoding="utf-8-sig", newline="")
    return path


@pytest.mark.parametrize(
    "text", [ROWS, IN_PORTUGAL, ROWS.replace(",", ", ")], ids=["commas", "0,5", "spaces"]
)
def test_the_longest_prefix_that_fits_says_where_it_is(tmp_path: Path, text: str) -> None:
    places = load_places(written(tmp_path, text))
    assert places.find("PT", "1100-060") == GeoPoint(38.71, -9.13)
    assert places.find("PT", "1200-001") == GeoPoint(38.72, -9.14)
    assert places.find("PT", "9000-017") == GeoPoint(39.5, -8.0)
    assert places.find("ES", "28001") is None


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("country,postal_prefix\n", [("latitude", 1), ("longitude", 1)]),
        (ROWS + "PT,2,91,0\nPT,3,north,0\nPT,4\n", [("latitude", 5), ("latitude", 6), ("latitude", 7)]),
        (ROWS + 'PT,2,"38.7\n', [("row", 5)]),
    ],
)
def test_every_row_that_says_no_place_is_named(
    tmp_path: Path, text: str, faults: list[tuple[str, int]]
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        load_places(written(tmp_path, text))
    assert [(one.where, one.line) for one in refused.value.faults] == faults

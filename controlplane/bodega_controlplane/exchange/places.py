"""Where postal codes are, from a file of the shop's: a CSV with country, postal_prefix, latitude and longitude."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from bodega.errors import ConfigInvalid, FieldFault
from bodega.host.spreadsheet import delimiter_of
from bodega.limits_hub import EXCHANGE_PLACES_ROWS_MAX
from bodega_controlplane.app.views import GeoPoint

_COLUMNS = ("country", "postal_prefix", "latitude", "longitude")


class Places:
    """By country, then by the beginning of a postal code: the longest one that fits."""

    def __init__(self, rows: Mapping[tuple[str, str], GeoPoint] | None = None) -> None:
        self._rows = dict(rows or {})

    def find(self, country: str, postal_code: str) -> GeoPoint | None:
        """Where that is, as far as the file knows; an empty prefix stands for the whole country."""
        code = plain(postal_code)
        for length in range(len(code), -1, -1):
            found = self._rows.get((country, code[:length]))
            if found is not None:
                return found
        return None


def plain(postal_code: str) -> str:
    """Without what people put between its parts."""
    return postal_code.upper().replace(" ", "").replace("-", "")


def load_places(path: Path) -> Places:
    """Raises ConfigInvalid with every row that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(
            f"{path} can not be read: {error}", hint="see places of [exchange] in the configuration"
        ) from error
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True, restkey="", restval=""
    )
    faults: list[FieldFault] = []
    rows: dict[tuple[str, str], GeoPoint] = {}
    try:
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        missing = [name for name in _COLUMNS if name not in reader.fieldnames]
        faults += (FieldFault(name, "is a required column", 1) for name in missing)
        for row in reader if not missing else ():
            point = _point(row["latitude"], row["longitude"])
            if point is None:
                faults.append(FieldFault("latitude", "must be degrees, as longitude", reader.line_num))
            else:
                rows[row["country"].strip().upper(), plain(row["postal_prefix"].strip())] = point
    except csv.Error as error:
        faults.append(FieldFault("row", f"is not CSV: {error}", reader.reader.line_num))
    if len(rows) > EXCHANGE_PLACES_ROWS_MAX:
        faults.append(FieldFault("file", f"has more than {EXCHANGE_PLACES_ROWS_MAX} rows"))
    if faults:
        raise ConfigInvalid(
            f"{path} has faults", hint="mend each line named above", faults=tuple(faults[:100])
        )
    return Places(rows)


def _point(latitude: str, longitude: str) -> GeoPoint | None:
    try:
        point = GeoPoint(float(latitude.replace(",", ".")), float(longitude.replace(",", ".")))
    except ValueError:
        return None
    return point if abs(point.latitude) <= 90 and abs(point.longitude) <= 180 else None

"""Where the demo's nodes stand, and what each of them needs to know about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bodega_agent.demo.catalogue import COMPANY_PREFIX
from bodega_agent.demo.crew_list import Person, people

# Where goods go that are set apart: damaged, expired, on hold.
QUALITY_BIN = "Q-01-01"
AISLES = "ABCD"
BAYS_PER_AISLE = 11
SERIALS_PER_NODE = 100_000

# Boxes: inner measures in millimetres, weights in grams.
_CARTON = ("carton_id", "length_mm", "width_mm", "height_mm", "weight_g", "max_weight_g")
_CARTONS = (
    ("BOX-S", 200, 150, 100, 80, 5_000),
    ("BOX-M", 350, 250, 200, 200, 15_000),
    ("BOX-L", 600, 400, 400, 500, 31_500),
)
_SERVICES = [
    {
        "service": "NORTHPOST-DAY",
        "carrier": "northpost",
        "currency": "EUR",
        "cut_off": "23:59",
        "zones": [
            {
                "zone": "everywhere",
                "transit_days": 1,
                "brackets": [
                    {"max_weight_g": 2_000, "price_minor": 390},
                    {"max_weight_g": 40_000, "price_minor": 890},
                ],
            }
        ],
    }
]

# One line: node | name | latitude | longitude | street | postal code and town.
_PLACES = """
lisbon-01 | Bodega Lisboa Arroios | 38.7262 | -9.1345 | Rua Passos Manuel 12 | 1150-260 Lisboa
porto-01 | Bodega Porto Bonfim | 41.1520 | -8.5985 | Rua do Heroísmo 88 | 4300-254 Porto
coimbra-01 | Bodega Coimbra Baixa | 40.2095 | -8.4310 | Rua da Sofia 40 | 3000-389 Coimbra
braga-01 | Bodega Braga Maximinos | 41.5480 | -8.4340 | Rua do Caires 21 | 4700-206 Braga
faro-01 | Bodega Faro Centro | 37.0170 | -7.9350 | Rua de Santo António 5 | 8000-283 Faro
"""


@dataclass(frozen=True, slots=True)
class Site:
    """One node's place. Degrees as in WGS 84; shelf bins in walking order; SSCC serials are inclusive."""

    node_id: str
    name: str
    latitude: float
    longitude: float
    ship_from: tuple[str, ...]
    bins: tuple[str, ...]
    first_serial: int
    last_serial: int
    people: tuple[Person, ...] = ()

    def walk_order(self, bin_id: str) -> int:
        """Position of a bin on the way through the node; lower is nearer to the door."""
        return self.bins.index(bin_id)

    def profile(self) -> dict[str, Any]:
        """The node's profile, as `bodegactl nodes register` reads it."""
        return {
            "node_id": self.node_id,
            "name": self.name,
            "location": {"latitude": self.latitude, "longitude": self.longitude},
            "ship_from": [self.name, *self.ship_from],
            "sscc_range": {
                "extension": 0,
                "company_prefix": COMPANY_PREFIX,
                "first_serial": self.first_serial,
                "last_serial": self.last_serial,
            },
            "bins": [
                *({"bin_id": bin_id, "walk_order": order} for order, bin_id in enumerate(self.bins, start=1)),
                {"bin_id": QUALITY_BIN, "walk_order": len(self.bins) + 1, "kind": "quality"},
            ],
            "time_zone": "Europe/Lisbon",
            "associates": [person.as_json() for person in self.people],
            "cartons": [dict(zip(_CARTON, row, strict=True)) for row in _CARTONS],
            "carrier_services": _SERVICES,
            "tracking_ranges": [
                {
                    "carrier": "northpost",
                    "scheme": "s10",
                    "prefix": "RB",
                    "suffix": "PT",
                    "first_number": self.first_serial,
                    "last_number": self.last_serial,
                }
            ],
        }


def sites(count: int) -> tuple[Site, ...]:
    """The first `count` places (1 to 5), each with its own bins' labels and range of SSCC serials."""
    rows = _PLACES.strip().splitlines()
    assert 1 <= count <= len(rows), f"there are {len(rows)} places"
    return tuple(_site(index, *row.split(" | ")) for index, row in enumerate(rows[:count]))


def _site(index: int, node_id: str, name: str, latitude: str, longitude: str, *address: str) -> Site:
    return Site(
        node_id,
        name,
        float(latitude),
        float(longitude),
        ship_from=(*address, "Portugal"),
        bins=tuple(f"{aisle}-{bay:02d}-01" for aisle in AISLES for bay in range(1, BAYS_PER_AISLE + 1)),
        first_serial=1 + index * SERIALS_PER_NODE,
        last_serial=(index + 1) * SERIALS_PER_NODE,
        people=people(1 + index * SERIALS_PER_NODE),
    )

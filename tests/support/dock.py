"""A node for stories of the dock: bins of all sorts, goods with lots and cold ones, and announced deliveries."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from bodega.v1 import catalogue_pb2, floor_pb2
from support.floor_rig import GS1_128, FloorRig, Prompt
from support.node_under_test import gtin

OAT, MILK, PEAS, CAM, RYE = range(1, 6)
CASE = 77
# A pallet of a supplier, as its label says it.
PALLET = "395011010000000057"

_VERSIONS = itertools.count(1_000)

BINS = (
    catalogue_pb2.Bin(
        bin_id="F-OAT", walk_order=1, kind="pick_face", fixed_sku_id="OAT", refill_below=4, refill_to=10
    ),
    catalogue_pb2.Bin(bin_id="A-01", walk_order=2, velocity_class="A"),
    catalogue_pb2.Bin(bin_id="C-01", walk_order=3, velocity_class="C"),
    catalogue_pb2.Bin(bin_id="C-02", walk_order=4, velocity_class="C", capacity_ml=3_000),
    catalogue_pb2.Bin(bin_id="R-01", walk_order=5, kind="reserve"),
    catalogue_pb2.Bin(bin_id="R-02", walk_order=6, kind="reserve"),
    catalogue_pb2.Bin(bin_id="COLD-1", walk_order=7, temperature_class="frozen"),
    catalogue_pb2.Bin(bin_id="Q-01", walk_order=8, kind="quality"),
)


async def opened(rig: FloorRig, bins: Sequence[catalogue_pb2.Bin] = BINS) -> None:
    """Bins and goods: oat milk (class A, cases of 12), milk with lots, frozen peas, cameras with serials, rye bread."""
    hub = rig.hub
    numbers = catalogue_pb2.SsccRange(extension=3, company_prefix="9521234", first_serial=1, last_serial=99)
    await hub.write(
        node_profile=catalogue_pb2.NodeProfile(
            node_id="lisbon-01", name="Lisbon", sscc_range=numbers, bins=bins, version=next(_VERSIONS)
        )
    )
    case = catalogue_pb2.Unit(unit="case", base_units=12, gtins=[gtin(CASE)])
    await hub.sku_of("OAT", OAT, units=[case], units_version=3, velocity_class="A", volume_ml=1_000)
    await hub.sku_of("MILK", MILK, lot_tracked=True, expiry_tracked=True)
    await hub.sku_of("PEAS", PEAS, temperature_class="frozen")
    await hub.sku_of("CAM", CAM, serial_tracked=True)
    await hub.sku_of("RYE", RYE, volume_ml=500)


def line(sku_id: str, quantity: int, **more: str) -> floor_pb2.NoticeLine:
    """A line of a notice; `lot`, `expiry` and `sscc` where the supplier says them."""
    return floor_pb2.NoticeLine(sku_id=sku_id, quantity=quantity, **more)


async def announced(rig: FloorRig, *lines: floor_pb2.NoticeLine, notice_id: str = "N-1", **more: Any) -> None:
    """The hub tells of a delivery."""
    told: dict[str, Any] = {"version": 1, "supplier": "Acme"} | more
    await rig.hub.write(advance_notice=floor_pb2.AdvanceNotice(notice_id=notice_id, lines=lines, **told))


async def case(rig: FloorRig) -> Prompt:
    """Scan a case of oat milk."""
    return await rig.scan(f"01{gtin(CASE)}", GS1_128)


async def milk(rig: FloorRig, lot: str, expiry: str = "") -> Prompt:
    """Scan milk whose code carries its lot, and its expiry as YYMMDD."""
    return await rig.scan(f"01{gtin(MILK)}" + (f"17{expiry}" if expiry else "") + f"10{lot}", GS1_128)


async def camera(rig: FloorRig, serial: str) -> Prompt:
    """Scan one camera's own code."""
    return await rig.scan(f"01{gtin(CAM)}21{serial}", GS1_128)


async def pallet(rig: FloorRig, sscc: str = PALLET) -> Prompt:
    """Scan a pallet's label."""
    return await rig.scan(f"00{sscc}", GS1_128)


async def exceptions(rig: FloorRig) -> list[tuple[str, str, int]]:
    """(kind, reason, units) of everything that went otherwise than it should."""
    return [(one.kind, one.reason, one.quantity) for one in await rig.facts("exception_noted")]


async def lying(rig: FloorRig, sku_id: str) -> dict[tuple[str, str], int]:
    """Units of a SKU in the node, by bin and disposition."""
    found: dict[tuple[str, str], int] = {}
    for account, units in (await rig.balances()).items():
        if account.bin and account.sku_id == sku_id:
            key = (account.bin, account.disposition)
            found[key] = found.get(key, 0) + units
    return found

"""A node with lockers, and a parcel that a customer will fetch, for stories of pickups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bodega.v1 import catalogue_pb2, orders_pb2
from bodega.v1.catalogue_pb2 import Associate
from bodega_agent.rules.floor.pickup.code import code_sha256
from support.floor_rig import GS1_128, FloorRig, Prompt

CODE = "4711"
PLACES = {
    "LOCKER-1": "locker",
    "LOCKER-2": "locker",
    "COUNTER": "pickup",
    "R-01": "returns",
    "A-01-01": "",
    "A-01-02": "",
}


async def set_up(rig: FloorRig, *, cold: str = "", people: Sequence[Associate] = (), **of_sku: Any) -> str:
    """Bins of each kind, and ten units of one product on a shelf; its SKU. `cold`: of it, and of LOCKER-2."""
    await rig.hub.write(
        node_profile=catalogue_pb2.NodeProfile(
            node_id="lisbon-01",
            name="Lisbon",
            ship_from=["Bodega Lisbon", "Rua Augusta 1"],
            sscc_range=catalogue_pb2.SsccRange(
                extension=3, company_prefix="9521234", first_serial=1, last_serial=9_999
            ),
            bins=[
                catalogue_pb2.Bin(
                    bin_id=bin_id,
                    walk_order=number,
                    kind=kind,
                    temperature_class=cold if bin_id == "LOCKER-2" else "",
                )
                for number, (bin_id, kind) in enumerate(PLACES.items(), start=1)
            ],
            associates=people,
            version=1,
        )
    )
    oat = await rig.hub.sku_of("OAT", 1, temperature_class=cold, **of_sku)
    if not of_sku:
        await rig.stock(oat, "A-01-01", 10)
    return oat


async def order(
    rig: FloorRig, number: int, sku_id: str, quantity: int, *, method: str = "locker", hold_ms: int = 0
) -> str:
    """Work for the node whose customer comes for it with CODE."""
    fulfillment_order_id = f"FO-{number}"
    await rig.hub.write(
        fulfillment_order=orders_pb2.FulfillmentOrder(
            fulfillment_order_id=fulfillment_order_id,
            order_id=f"ORD-{number}",
            lines=[orders_pb2.OrderLine(line=1, sku_id=sku_id, quantity=quantity)],
            recipient=orders_pb2.Recipient(name="Ana Ribeiro", address=["Rua do Ouro 2"], country="PT"),
            carrier_service="parcel",
            fencing_token=1,
            method=method,
            pickup=orders_pb2.Pickup(code_sha256=code_sha256(fulfillment_order_id, CODE), hold_ms=hold_ms)
            if method != "parcel"
            else None,
        )
    )
    return fulfillment_order_id


async def pack(rig: FloorRig, quantity: int) -> str:
    """Pick, pack and label the oldest order; the SSCC of its parcel."""
    shown = await rig.scan("CMD-PICK")
    for _ in range(quantity):
        if shown["step"] == "pick_bin":
            await rig.scan(shown["expect"]["values"][0])
        shown = await rig.item(1)
    while shown["step"] != "label":
        shown = await rig.scan("CMD-PACK")
    sscc: str = shown["expect"]["sscc"]
    await rig.printed(sscc)
    labelled = await rig.parcel(sscc)
    assert labelled["tone"] == "ok", labelled["text"]
    return sscc


async def stage(rig: FloorRig, sscc: str) -> str:
    """Put the parcel where the node says; the place."""
    await rig.scan("CMD-STAGE")
    shown = await rig.parcel(sscc)
    (place,) = shown["expect"]["values"]
    assert (await rig.scan(place))["tone"] == "ok"
    await rig.scan("CMD-DONE")
    return str(place)


async def ready(rig: FloorRig, number: int = 1, **more: Any) -> tuple[str, str]:
    """An order of two units waits for its customer: (SSCC, place)."""
    await order(rig, number, "OAT", 2, **more)
    sscc = await pack(rig, 2)
    return sscc, await stage(rig, sscc)


async def sold(rig: FloorRig, number: int = 1, quantity: int = 2) -> str:
    """An order that has left with the carrier; the SSCC of its parcel."""
    await order(rig, number, "OAT", quantity, method="parcel")
    sscc = await pack(rig, quantity)
    await rig.scan("CMD-HANDOVER")
    gone: Prompt = await rig.scan(f"00{sscc}", GS1_128)
    assert gone["tone"] == "ok", gone["text"]
    await rig.scan("CMD-DONE")
    return sscc

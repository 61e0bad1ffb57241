"""A crash at every scan of a flow: nothing that was answered is lost, and the flow goes on where it was."""

from __future__ import annotations

from support.floor_rig import FloorRig, lived_through_crashes


async def _one_order(rig: FloorRig) -> None:
    """Receive three, put them away, pick two for an order, pack, label and hand over."""
    await rig.hub.profile()
    oat = await rig.hub.sku(1)
    await rig.scan("CMD-RECEIVE")
    for _ in range(3):
        await rig.item(1)
    await rig.scan("CMD-DONE")
    await rig.scan("CMD-PUTAWAY")
    for _ in range(3):
        await rig.item(1)
    await rig.play("A-01-01", "CMD-DONE")
    await rig.hub.fulfillment_order(1, (oat, 2))
    await rig.play("CMD-PICK", "A-01-01")
    await rig.item(1)
    await rig.item(1)
    closed = await rig.scan("CMD-PACK")
    sscc = closed["expect"]["sscc"]
    await rig.printed(sscc)
    await rig.scan(f"00{sscc}", "]C1")
    await rig.scan("CMD-HANDOVER")
    handed = await rig.scan(f"00{sscc}", "]C1")
    assert handed["tone"] == "ok", handed["text"]
    assert await rig.held("A-01-01", oat) == 1


async def test_one_order_from_the_lorry_to_the_carrier_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_one_order) == 19

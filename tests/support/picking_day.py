"""Work for pickers at a real node: orders with all that the hub may say of them, shelves, and what became of both."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from bodega.v1 import catalogue_pb2, fleet_pb2, orders_pb2
from support.floor_rig import FloorRig, Prompt
from support.node_under_test import scan_text

BINS = ("A-01-01", "A-01-02", "B-02-01")


async def shop(rig: FloorRig, *, faces: Sequence[str] = (), **facts: Any) -> tuple[str, str, str]:
    """A node with three bins and three SKUs; `faces` are the bins that are pick faces."""
    await profile(rig, faces=faces, **facts)
    return await rig.hub.sku(1), await rig.hub.sku(2), await rig.hub.sku(3)


async def profile(rig: FloorRig, *, faces: Sequence[str] = (), version: int = 1, **facts: Any) -> None:
    """The node's profile with more to it than the hub's pen writes."""
    await rig.hub.write(
        node_profile=catalogue_pb2.NodeProfile(
            node_id="lisbon-01",
            name="Lisbon",
            sscc_range=catalogue_pb2.SsccRange(
                extension=3, company_prefix="9521234", first_serial=1, last_serial=9_999
            ),
            bins=[
                catalogue_pb2.Bin(bin_id=name, walk_order=place, kind="pick_face" if name in faces else "")
                for place, name in enumerate(BINS, start=1)
            ],
            version=version,
            **facts,
        )
    )


async def order(
    rig: FloorRig,
    number: int,
    lines: Mapping[str, int],
    *,
    instead: Sequence[str] = (),
    **facts: Any,
) -> str:
    """Work from the hub; any of its lines may be served by the SKUs `instead`."""
    name = f"FO-{number}"
    await rig.hub.write(
        fulfillment_order=orders_pb2.FulfillmentOrder(
            fulfillment_order_id=name,
            order_id=f"ORD-{number}",
            lines=[
                orders_pb2.OrderLine(line=place, sku_id=sku_id, quantity=units, substitutes=instead)
                for place, (sku_id, units) in enumerate(lines.items(), start=1)
            ],
            recipient=orders_pb2.Recipient(name="Ana Ribeiro", address=["Rua do Ouro 2"], country="PT"),
            fencing_token=1,
            **facts,
        )
    )
    return name


async def settings(rig: FloorRig, **values: str) -> None:
    """Settings that the hub pushes; `pick_zero_check` is "pick.zero_check"."""
    named = {name.replace("_", ".", 1): value for name, value in values.items()}
    await rig.hub.write(
        desired_state=fleet_pb2.DesiredState(generation=1, settings=named, signature=b"the hub's")
    )


async def state_of(rig: FloorRig, name: str) -> str:
    """Where an order stands."""

    def read(reader: Any) -> str:
        (row,) = reader.rows("SELECT state FROM fulfillment_order WHERE fulfillment_order_id = ?", name)
        return str(row["state"])

    return await rig.store.read(read)


async def lines_of(rig: FloorRig, name: str) -> list[tuple[str, int, int, int]]:
    """(SKU, asked, picked, short) of each line."""

    def read(reader: Any) -> list[tuple[str, int, int, int]]:
        rows = reader.rows(
            "SELECT sku_id, quantity, picked, short FROM fulfillment_line"
            " WHERE fulfillment_order_id = ? ORDER BY line",
            name,
        )
        return [(row["sku_id"], row["quantity"], row["picked"], row["short"]) for row in rows]

    return await rig.store.read(read)


async def exceptions(rig: FloorRig) -> list[tuple[str, str, int]]:
    """(kind, reason, units) of what went otherwise."""
    return [(one.kind, one.reason, one.quantity) for one in await rig.facts("exception_noted")]


async def obey(rig: FloorRig, prompt: Prompt, *, until: Sequence[str] = ("idle", "pack")) -> Prompt:
    """Scan what each prompt asks for, as a robot would, until a step of `until`."""
    empty = itertools.count(1)
    for _ in range(100):
        if prompt["step"] in until:
            return prompt
        expect = prompt["expect"]
        if expect["kind"] == "item":
            prompt = await rig.scan(expect["values"][0][1:], "]E0")
        elif expect["kind"] == "number":
            prompt = await rig.scan(str(expect["quantity"]))
        else:
            prompt = await rig.scan((expect["values"] or [f"TOTE-{next(empty)}"])[0])
        assert prompt["tone"] != "error", prompt["text"]
    raise AssertionError(f"round in circles: {prompt['text']}")


async def items(rig: FloorRig, number: int, times: int) -> Prompt:
    """Scan a product so many times; the last answer."""
    for _ in range(times):
        shown = await rig.scan(scan_text(number), "]E0")
    return shown

"""`bodegactl channels` against a real `bodegactl serve`: a marketplace is let in, bounded and shut out again."""

from __future__ import annotations

import asyncio

import httpx

from bodega.limits_hub import CHANNELS_FRESH_S
from support.bodegactl import ControlPlane
from support.faces import order_body
from support.waiting import until


def test_a_marketplace_is_let_in_bounded_and_shut_out(hub: ControlPlane) -> None:
    made = hub.ask("channels", "create", "bazaar", "--kind", "marketplace", "--buffer", "7", "--json").json()
    assert made["channel"]["channel_id"] == "bazaar"
    headers = {"Authorization": f"Bearer {made['token']}"}

    def available() -> int:
        answer = httpx.get(f"{hub.http}/v1/availability?sku_id=TEA", headers=headers)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["skus"][0]["available"])

    def is_out() -> bool:
        return httpx.get(f"{hub.http}/v1/orders", headers=headers).status_code == 401

    assert available() == 12 - 2 - 7
    assert "leaves 1 units" in hub.ask("channels", "buffer", "bazaar", "1").out
    asyncio.run(until(lambda: available() == 12 - 2 - 1, 10 * CHANNELS_FRESH_S))
    placed = httpx.post(
        f"{hub.http}/v1/orders", json=order_body(("TEA", 9)), headers={**headers, "Idempotency-Key": "k1"}
    )
    assert (placed.status_code, placed.json()["channel"]) == (201, "bazaar")
    assert "50 requests a second" in hub.ask("channels", "rate", "bazaar", "50").out

    listed = hub.ask("channels", "ls", "--json").json()["channels"]
    assert [(one["channel_id"], one["kind"]) for one in listed] == [
        ("bazaar", "marketplace"),
        ("storefront", "storefront"),
    ]
    assert (listed[0]["buffer_units"], listed[0]["requests_per_s"]) == (1, 50)
    table = hub.ask("channels", "ls").out.splitlines()
    assert table[0].split() == ["CHANNEL", "KIND", "BUFFER", "REQUESTS/S", "MADE", "REVOKED"]
    assert made["token"] not in hub.ask("channels", "ls", "--json").out + hub.ask("audit", "ls", "--json").out

    fresh = hub.ask("channels", "rotate", "bazaar", "--old-lasts", "0").out.splitlines()[-1]
    asyncio.run(until(is_out, 10 * CHANNELS_FRESH_S))
    headers["Authorization"] = f"Bearer {fresh}"
    assert httpx.get(f"{hub.http}/v1/orders", headers=headers).json()["orders"][0]["channel"] == "bazaar"

    assert "open nothing" in hub.ask("channels", "revoke", "bazaar").out
    asyncio.run(until(is_out, 10 * CHANNELS_FRESH_S))


def test_what_can_not_be_is_refused_with_what_to_do_next(hub: ControlPlane) -> None:
    assert hub.ask("channels", "create", "a b").code == 65
    assert hub.ask("channels", "create", "storefront").code == 1
    assert hub.ask("channels", "create", "till", "--kind", "shop").code == 2
    assert hub.ask("channels", "buffer", "nobody", "3").code == 66
    assert hub.ask("channels", "rate", "storefront", "0").code == 2
    said = hub.ask("channels", "revoke", "storefront")
    assert said.code == 1
    assert "  next: delete storefront.token" in said.err

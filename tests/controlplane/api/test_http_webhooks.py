"""Events and webhooks over HTTP: polled, made, changed with care, told again; secrets are shown once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.telling.numbering import number
from support.controlplane import POLICY
from support.faces import order_body, stocked_hub

HOOKS = "https://shop.example/hooks"


@pytest.fixture
def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    with stocked_hub(tmp_path, TEA=50) as opened:
        yield opened


async def happen(hub: Hub, shop: httpx.AsyncClient, *references: str) -> None:
    """Orders are placed, and told of."""
    for reference in references:
        placed = await shop.post("/v1/orders", json=order_body(("TEA", 1), reference=reference))
        assert placed.status_code == 201
    while await hub.run(lambda tx: number(tx, hub.now_ms(), POLICY)):
        pass


async def made(shop: httpx.AsyncClient, **about: Any) -> dict[str, Any]:
    answer = await shop.post("/v1/webhooks", json={"url": HOOKS} | about)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_shop_polls_its_events_by_cursor(hub: Hub, shop: httpx.AsyncClient) -> None:
    await happen(hub, shop, "R-1", "R-2", "R-3")
    only = {"type": ["order.*"], "limit": 2}
    first = (await shop.get("/v1/events", params=only)).json()
    assert [one["data"]["reference"] for one in first["events"]] == ["R-1", "R-2"]
    assert (first["has_more"], first["next_cursor"]) == (True, first["events"][1]["id"])
    rest = (await shop.get("/v1/events", params=only | {"after": first["next_cursor"]})).json()
    assert [one["type"] for one in rest["events"]] == ["order.placed"]
    assert rest["events"][0]["timestamp"].endswith("Z")
    quiet = {"after": rest["next_cursor"]}
    assert (await shop.get("/v1/events", params=quiet)).json()["events"] == []
    await happen(hub, shop, "R-4")
    after = (await shop.get("/v1/events", params=quiet | only)).json()
    assert [one["data"]["reference"] for one in after["events"]] == ["R-4"]
    assert "Secret" not in (await shop.get("/v1/events", params={"limit": 500})).text


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"after": "evt_7_00000000"}, "cursor-unknown"),
        ({"after": "<b>"}, "invalid-input"),
        ({"type": "weather.fine"}, "invalid-input"),
        ({"limit": "0"}, "invalid-input"),
    ],
)
async def test_what_can_not_be_polled_is_refused(
    shop: httpx.AsyncClient, params: dict[str, str], code: str
) -> None:
    answer = await shop.get("/v1/events", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_secret_is_in_the_answer_that_makes_it_and_nowhere_else(shop: httpx.AsyncClient) -> None:
    sent = {"Idempotency-Key": "k1"}
    answer = await shop.post("/v1/webhooks", json={"url": HOOKS, "types": ["order.*"]}, headers=sent)
    one = answer.json()
    assert one["secret"].startswith("whsec_")
    # Whoever lost the answer asks again, with the same key.
    again = await shop.post("/v1/webhooks", json={"url": HOOKS, "types": ["order.*"]}, headers=sent)
    assert (again.content, again.headers["idempotency-replayed"]) == (answer.content, "true")
    path = answer.headers["location"]
    shown = await shop.get(path)
    assert shown.headers["etag"] == answer.headers["etag"]
    assert shown.json() == {name: value for name, value in one.items() if name != "secret"}
    assert (await shop.get("/v1/webhooks")).json() == {"webhooks": [shown.json()]}
    fresh = await shop.post(f"{path}/secret", json={"old_secret_lasts_s": 60})
    assert fresh.json()["secret"] != one["secret"]
    own = "whsec_" + "A" * 43 + "="
    assert (await made(shop, secret=own))["secret"] == own


async def test_two_who_change_a_webhook_do_not_undo_each_other(shop: httpx.AsyncClient) -> None:
    path = f"/v1/webhooks/{(await made(shop))['webhook_id']}"
    tag = (await shop.get(path)).headers["etag"]
    assert (await shop.get(path, headers={"If-None-Match": tag})).status_code == 304
    off = await shop.put(path, json={"url": HOOKS, "enabled": False}, headers={"If-Match": tag})
    assert (off.status_code, off.json()["reason"]) == (200, "turned off by its owner")
    late = await shop.put(path, json={"url": f"{HOOKS}/2"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
    on = await shop.put(path, json={"url": HOOKS}, headers={"If-Match": off.headers["etag"]})
    assert (on.json()["enabled"], on.json()["reason"]) == (True, "")
    # Nor does one forget what the other has just turned on again.
    kept = await shop.delete(path, headers={"If-Match": off.headers["etag"]})
    assert (kept.status_code, (await shop.get(path)).status_code) == (412, 200)
    assert (await shop.delete(path, headers={"If-Match": on.headers["etag"]})).status_code == 204


async def test_a_webhook_is_told_again_looked_at_and_forgotten(hub: Hub, shop: httpx.AsyncClient) -> None:
    await happen(hub, shop, "R-1", "R-2")
    path = f"/v1/webhooks/{(await made(shop))['webhook_id']}"
    assert (await shop.get(f"{path}/deliveries")).json() == {
        "waiting": 0,
        "attempts": 0,
        "failing_since": None,
        "next_attempt": None,
        "deliveries": [],
    }
    events = (await shop.get("/v1/events")).json()["events"]
    again = await shop.post(f"{path}/replay", json={"after": events[0]["id"]})
    assert again.status_code == 202
    assert (await shop.get(f"{path}/deliveries")).json()["waiting"] == len(events) - 1
    unknown = await shop.post(f"{path}/replay", json={"after": "evt_9_00000000"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "cursor-unknown")
    gone = await shop.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    for answer in (await shop.get(path), await shop.delete(path), await shop.get(f"{path}/deliveries")):
        assert answer.status_code == 404


async def test_every_fault_of_a_webhook_is_named_at_once(shop: httpx.AsyncClient) -> None:
    shape = {"url": 5, "types": ["Order Placed"], "secret": "<b>", "more": 1}
    answer = await shop.post("/v1/webhooks", json=shape)
    wheres = {fault["where"] for fault in answer.json()["faults"]}
    assert (answer.status_code, wheres) == (422, {"url", "types[0]", "secret", "more"})
    sense = {"url": "https://169.254.169.254/", "types": ["order.eaten"], "secret": "whsec_QQ=="}
    answer = await shop.post("/v1/webhooks", json=sense)
    assert [fault["where"] for fault in answer.json()["faults"]] == ["url", "types[0]", "secret"]
    assert (await shop.get("/v1/webhooks")).json() == {"webhooks": []}

"""`bodegactl webhooks` against a real `bodegactl serve`, which calls a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.bodegactl import ControlPlane, new_database, serving_from
from support.hooks import Receiver, receiver
from support.moved_order import place, two_nodes
from support.waiting import until_async


@pytest.fixture
def shop() -> Iterator[Receiver]:
    with receiver() as seen:
        yield seen


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane with two orders, whose webhooks may call this machine."""
    with new_database(tmp_path) as store:
        two_nodes(store)
        for reference in ("R-1", "R-2"):
            place(store, 1, reference=reference)
    with serving_from(tmp_path, more='\n[webhooks]\nnetworks = ["127.0.0.0/8"]\n') as control_plane:
        yield control_plane


async def wait_for(fact: Callable[[], bool]) -> None:
    """Commands are dear: look a few times a second."""

    async def ask() -> bool:
        return await asyncio.to_thread(fact)

    await until_async(ask, look_s=0.2)


async def test_an_endpoint_is_made_called_looked_at_told_again_and_turned_off(
    hub: ControlPlane, shop: Receiver
) -> None:
    ask = hub.ask
    await wait_for(
        lambda: len(ask("webhooks", "events", "--type", "order.*", "--json").json()["events"]) == 2
    )
    listed = ask("webhooks", "events", "--type", "order.placed", "--json").json()
    assert [one["data"]["reference"] for one in listed["events"]] == ["R-1", "R-2"]
    wanted = ("--type", "order.placed", "--after", "")
    made = ask("webhooks", "create", shop.url, "--channel", "storefront", *wanted, "--json").json()
    name, secret = made["webhook"]["webhook_id"], made["secret"]
    await wait_for(lambda: len(shop.calls) == 2)
    assert [call.verified(secret)["data"]["reference"] for call in shop.calls] == ["R-1", "R-2"]
    await wait_for(lambda: ask("webhooks", "ls", "--json").json()["webhooks"][0]["waiting"] == 0)
    rows = ask("webhooks", "deliveries", name, "--json").json()["deliveries"]
    assert [(row["event_id"], row["status"]) for row in rows] == [
        (call.event_id, 204) for call in reversed(shop.calls)
    ]
    first = listed["events"][0]["event_id"]
    assert ask("webhooks", "replay", name, "--after", first).code == 0
    await wait_for(lambda: len(shop.calls) == 3)
    assert shop.calls[2].event_id == shop.calls[1].event_id
    fresh = ask("webhooks", "rotate", name, "--json").json()["secret"]
    assert fresh != secret
    assert "is off: turned off by its owner" in ask("webhooks", "disable", name).out
    assert secret not in ask("webhooks", "ls", "--json").out
    assert "is on" in ask("webhooks", "enable", name).out
    assert ask("webhooks", "delete", name).code == 0
    assert ask("webhooks", "deliveries", name).code == 66


def test_what_is_wrong_is_named_with_its_field(hub: ControlPlane) -> None:
    said = hub.ask("webhooks", "create", "http://10.0.0.1/", "--type", "order.eaten")
    assert said.code == 65
    assert "url: 10.0.0.1 is no address of the public internet" in said.err
    assert "types[0]: is no type of an event" in said.err
    assert hub.ask("webhooks", "replay", "W-0", "--after", "evt_1_00000000").code == 66

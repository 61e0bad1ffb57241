"""Customers at the HTTP face, many of them and some twice: each wish is one order, and the last unit goes to one."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from support.controlplane import POLICY
from support.moved_order import LISBON, PORTO, SKU
from support.storefront import open_town

CALLERS = 200
LAST_UNITS = 3
TAKEN, CONFLICT = httpx.codes.CREATED, httpx.codes.CONFLICT

TOWNS = [
    pytest.param(("sqlite", 1), id="sqlite"),
    pytest.param(("postgresql", 2), id="two-instances-on-postgresql", marks=pytest.mark.postgres),
]


@pytest.fixture
def place_of_town(request: pytest.FixtureRequest) -> tuple[str, int]:
    """The database and how many instances share it."""
    kind, hubs = request.param
    return ("sqlite" if kind == "sqlite" else request.getfixturevalue("postgres_url")), hubs


@pytest.mark.parametrize("place_of_town", TOWNS, indirect=True)
async def test_of_200_who_want_the_last_units_as_many_get_one_as_there_are(
    place_of_town: tuple[str, int], tmp_path: Path
) -> None:
    database, hubs = place_of_town
    units = LAST_UNITS + POLICY.safety_stock
    async with open_town(database, tmp_path, hubs=hubs, lisbon_01=units) as town:
        answers = await asyncio.gather(
            *(town.place((SKU, 1), key=f"caller-{number}", at=number % hubs) for number in range(CALLERS))
        )
        said = Counter((answer.status_code, answer.json().get("code", "")) for answer in answers)
        assert said == {(TAKEN, ""): LAST_UNITS, (CONFLICT, "insufficient-stock"): CALLERS - LAST_UNITS}
        assert await town.available() == {LISBON: 0, PORTO: 0}
        assert len({order["order_id"] for order in await town.orders()}) == LAST_UNITS


@pytest.mark.parametrize("place_of_town", TOWNS, indirect=True)
async def test_an_order_sent_twice_at_once_and_again_later_is_one_order(
    place_of_town: tuple[str, int], tmp_path: Path
) -> None:
    database, hubs = place_of_town
    async with open_town(database, tmp_path, hubs=hubs, lisbon_01=10) as town:
        pressed_twice = await asyncio.gather(
            *(town.place((SKU, 2), key="one-wish", at=number % hubs) for number in range(8))
        )
        later = [await town.place((SKU, 2), key="one-wish", at=at) for at in range(hubs)]
        taken = [answer for answer in [*pressed_twice, *later] if answer.status_code == TAKEN]
        assert {answer.content for answer in taken} == {later[0].content}
        assert [answer.headers["idempotency-replayed"] for answer in taken].count("false") == 1
        waiting = [answer.json()["code"] for answer in pressed_twice if answer.status_code != TAKEN]
        assert set(waiting) <= {"in-flight"}
        assert await town.available() == {LISBON: 10 - 2 - POLICY.safety_stock, PORTO: 0}
        assert town.told(LISBON, later[0].json()["order_id"]) == ["fulfillment_order"]

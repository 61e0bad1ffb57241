"""What every carrier driver must do, whatever it asks. A new driver adds a rig and passes this file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import pytest

from bodega.errors import InvalidInput, Unavailable
from bodega.rates_codec import service_to_wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.shipping.checks import check_services
from bodega_controlplane.carriers.card_document import card_values
from bodega_controlplane.carriers.ports import Carrier
from bodega_controlplane.carriers.registry import CARRIERS, open_carrier
from support.rate_cards import card


class Rig(Protocol):
    """A carrier's other end: it can be taken away, put back, and change its prices."""

    name: str

    def open(self) -> Carrier: ...
    def take_away(self) -> None: ...
    def put_back(self) -> None: ...
    def raise_prices(self) -> None: ...


class FileRig:
    """A file of rates."""

    name = "northpost"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rates.json"
        self._surcharge = 0
        self.put_back()

    def open(self) -> Carrier:
        return open_carrier("rate-card", self.name, {"file": str(self._path)})

    def take_away(self) -> None:
        self._path.unlink()

    def put_back(self) -> None:
        values = card_values(card())
        for one in values["services"]:
            one["surcharge_permille"] = self._surcharge
        self._path.write_text(json.dumps(values), encoding="utf-8")

    def raise_prices(self) -> None:
        self._surcharge = 50
        self.put_back()


RIGS: dict[str, Callable[[Path], Rig]] = {"rate-card": FileRig}


def test_every_driver_has_a_rig() -> None:
    assert RIGS.keys() == CARRIERS.keys()


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return RIGS[request.param](tmp_path)


@pytest.fixture
async def carrier(rig: Rig) -> AsyncIterator[Carrier]:
    opened = rig.open()
    yield opened
    await opened.close()
    await opened.close()


async def test_it_offers_its_own_services_under_its_own_name_and_they_are_right(
    rig: Rig, carrier: Carrier
) -> None:
    offered = await carrier.services()
    assert carrier.name == rig.name
    assert {one.carrier for one in offered} == {rig.name}
    faults = Faults()
    check_services(faults, "services", [service_to_wire(one) for one in offered])
    assert faults.found == []


async def test_it_says_the_same_until_its_prices_change(rig: Rig, carrier: Carrier) -> None:
    first = await carrier.services()
    assert await carrier.services() == first
    rig.raise_prices()
    assert await carrier.services() != first


async def test_one_that_is_away_says_so_and_is_back_without_being_opened_again(
    rig: Rig, carrier: Carrier
) -> None:
    await carrier.check()
    rig.take_away()
    for ask in (carrier.check, carrier.services):
        with pytest.raises(Unavailable) as told:
            await ask()
        assert told.value.message
    rig.put_back()
    await carrier.check()
    assert await carrier.services()


async def test_one_that_is_away_can_be_opened_all_the_same(rig: Rig) -> None:
    rig.take_away()
    opened = rig.open()
    with pytest.raises(Unavailable):
        await opened.check()
    await opened.close()


@pytest.mark.parametrize(
    ("driver", "options"), [("post-horse", {}), ("rate-card", {}), ("rate-card", {"file": "x", "speed": 1})]
)
def test_an_unknown_driver_and_a_wrong_option_are_refused(driver: str, options: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        open_carrier(driver, "northpost", options)


@pytest.mark.parametrize("text", ["{", '{"name": "x", "services": []}', "x" * (5 * 1024 * 1024)])
async def test_a_file_that_is_no_card_of_the_carrier_means_that_it_is_away(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unavailable):
        await open_carrier("rate-card", "northpost", {"file": str(path)}).check()

"""The profile of a node as a file, and the entry of a person in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bodega.core.pins import is_right
from bodega.errors import FieldFault, InvalidInput
from bodega_controlplane.cli.node_people import associate
from bodega_controlplane.cli.node_profile import in_file, read_profile

PROFILE = """\
node_id = "porto-01"
name = "Porto"
location = { latitude = 41.1, longitude = -8.6 }
ship_from = ["Bodega Porto", "Rua 1"]
bins = [{ bin_id = "A-1", walk_order = 1, kind = "pick_face", fixed_sku_id = "TEA", refill_below = 2, refill_to = 9 }]
time_zone = "Europe/Lisbon"
kind = "dark_store"
country = "PT"
capacity_orders = 400
labels = { region = "south" }
[sscc_range]
extension = 3
company_prefix = "5600001"
first_serial = 0
last_serial = 99
[[cartons]]
carton_id = "BOX-S"
length_mm = 200
width_mm = 150
height_mm = 100
max_weight_g = 5000
[[carrier_services]]
service = "STANDARD"
carrier = "northpost"
currency = "EUR"
cut_off = "17:30"
collection_days = [1, 2, 3, 4, 5]
[[carrier_services.zones]]
zone = "PT"
countries = ["PT"]
brackets = [{ max_weight_g = 2000, price_minor = 390 }]
[[tracking_ranges]]
carrier = "northpost"
scheme = "s10"
prefix = "RA"
suffix = "PT"
first_number = 0
last_number = 999
"""
FILE = Path("porto-01.toml")


def test_everything_in_the_file_is_in_the_message() -> None:
    profile = read_profile(PROFILE, FILE)
    (shelf,), (box,), (service,), (numbers,) = (
        profile.bins,
        profile.cartons,
        profile.carrier_services,
        profile.tracking_ranges,
    )
    assert (shelf.kind, shelf.fixed_sku_id, shelf.refill_below, shelf.refill_to) == ("pick_face", "TEA", 2, 9)
    assert (box.carton_id, box.height_mm, box.max_weight_g) == ("BOX-S", 100, 5_000)
    assert (service.cut_off_minute, list(service.collection_days)) == (17 * 60 + 30, [1, 2, 3, 4, 5])
    assert (service.zones[0].countries[0], service.zones[0].brackets[0].price_minor) == ("PT", 390)
    assert (numbers.scheme, numbers.digits, numbers.last_number) == ("s10", 8, 999)
    assert profile.time_zone == "Europe/Lisbon"
    assert (profile.kind, profile.country, profile.capacity_orders) == ("dark_store", "PT", 400)
    assert dict(profile.labels) == {"region": "south"}


def test_a_time_of_day_that_is_none_is_named_with_its_line() -> None:
    with pytest.raises(InvalidInput) as invalid:
        read_profile(PROFILE.replace("17:30", "25:00"), FILE)
    (fault,) = invalid.value.faults
    assert (fault.where, fault.line) == ("carrier_services.0.cut_off", 26)
    found = FieldFault("profile.carrier_services[0].cut_off_minute", "must be less")
    assert in_file(found, PROFILE).line == 26


def test_the_entry_of_a_person_holds_a_hash_of_the_pin_and_goes_into_the_profile() -> None:
    said = CliRunner().invoke(
        associate, ["ana", "--name", 'Ana "A" Sousa', "--role", "lead", "--pin-stdin"], input="2468\n"
    )
    assert (said.exit_code, "2468" in said.output) == (0, False)
    (ana,) = read_profile(PROFILE + said.output, FILE).associates
    assert (ana.associate_id, ana.name, ana.role) == ("ana", 'Ana "A" Sousa', "lead")
    assert is_right("2468", ana.pin_salt, ana.pin_hash)
    assert not is_right("8642", ana.pin_salt, ana.pin_hash)


def test_the_same_pin_twice_has_two_hashes() -> None:
    asked = ["ana", "--name", "Ana", "--pin-stdin", "--json"]
    first, second = (
        json.loads(CliRunner().invoke(associate, asked, input="2468\n").output) for _ in range(2)
    )
    assert first["pin_hash"] != second["pin_hash"]


@pytest.mark.parametrize("pin", ["", "123", "12a4", "1" * 13])
def test_what_is_no_pin_is_refused_and_not_repeated(pin: str) -> None:
    said = CliRunner().invoke(associate, ["ana", "--name", "Ana", "--pin-stdin"], input=f"{pin}\n")
    assert isinstance(said.exception, InvalidInput)
    assert not pin or pin not in said.exception.message


def test_a_person_without_a_pin_needs_a_badge() -> None:
    said = CliRunner().invoke(associate, ["rui", "--name", "Rui", "--no-pin"])
    assert isinstance(said.exception, InvalidInput)
    said = CliRunner().invoke(associate, ["rui", "--name", "Rui", "--no-pin", "--badge", "B-17"])
    (rui,) = read_profile(PROFILE + said.output, FILE).associates
    assert (rui.badge, rui.pin_hash) == ("B-17", b"")

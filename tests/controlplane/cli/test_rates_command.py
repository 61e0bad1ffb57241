"""`bodegactl rates` and `bodegactl carriers` against a real `bodegactl serve`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega_controlplane.carriers.card_document import card_values
from support.bodegactl import ControlPlane, new_database, serving_from
from support.controlplane import settle
from support.rate_cards import card

QUOTE = ("rates", "quote", "--to", "PT/9000-017", "--weight-g", "900", "--at", "2026-11-23T10:00")
TOLD_S = 60.0


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with two nodes and a card in a file."""
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        settle(store, "TEA", node_ids=("lisbon-01", "porto-01"))
    (folder / "winter.json").write_text(json.dumps(card_values(card())), encoding="utf-8")
    with serving_from(folder) as control_plane:
        yield control_plane


def test_a_card_is_checked_taken_listed_and_shown(hub: ControlPlane, tmp_path: Path) -> None:
    file = hub.data_dir.parent / "winter.json"
    assert "2 nodes would be given others" in hub.ask("rates", "validate", file).out
    assert hub.ask("rates", "ls", "--json").json() == {"cards": []}
    assert hub.ask("rates", "show").code == 66
    assert "Rate card 1 (winter) is in force; 2 nodes are given it." in hub.ask("rates", "import", file).out
    assert "newest already" in hub.ask("rates", "import", file).out
    [listed] = hub.ask("rates", "ls", "--json").json()["cards"]
    assert (listed["version"], listed["carriers"], listed["in_force"]) == (
        1,
        ["northpost", "southpost"],
        True,
    )
    again = tmp_path / "again.json"
    again.write_text(hub.ask("rates", "show", "--json").out, encoding="utf-8")
    assert hub.ask("rates", "import", again, "--json").json()["changed"] is False
    assert "southpost" in hub.ask("rates", "show", "1").out

    quoted = asked(hub)
    assert [(one["node_id"], one["service"], one["price_minor"]) for one in quoted["quotes"]] == [
        ("lisbon-01", "PARCEL", 500),
        ("porto-01", "PARCEL", 500),
        ("lisbon-01", "ECO", 890),
        ("lisbon-01", "EXPRESS", 900),
        ("porto-01", "EXPRESS", 900),
    ]
    assert [one["added"] for one in quoted["quotes"] if one["service"] == "ECO"] == [
        [{"surcharge": "fuel", "price_minor": 40}, {"surcharge": "islands", "price_minor": 450}]
    ]
    assert "8.90 EUR with fuel 0.40, islands 4.50" in hub.ask(*QUOTE).out

    said = hub.ask("carriers", "down", "northpost", "--reason", "strike")
    assert "northpost is down since" in said.out
    assert "already" in hub.ask("carriers", "down", "northpost", "--reason", "strike").out
    after = hub.ask(*QUOTE, "--json").json()
    assert [one["service"] for one in after["quotes"] if not one["suspended"]] == ["ECO"]
    assert {one["quote"]["service"] for one in after["promises"]} == {"ECO"}
    [north, south] = hub.ask("carriers", "ls", "--json").json()["carriers"]
    assert (north["down"], north["reason"], south["down"]) == (True, "strike", False)
    assert hub.ask("carriers", "up", "northpost").out == "northpost is up.\n"
    assert hub.ask("carriers", "down", "westpost", "--reason", "strike").code == 65


def asked(hub: ControlPlane) -> dict[str, list[dict[str, object]]]:
    """The quotes once the nodes have been given the card."""
    end = time.monotonic() + TOLD_S
    while True:
        quoted = hub.ask(*QUOTE, "--json").json()
        if len(quoted["quotes"]) == 5 or time.monotonic() > end:
            return quoted


def test_a_wrong_card_is_refused_with_the_rows_that_are_wrong(hub: ControlPlane, tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text(
        "carrier,service,service_class,currency,zone,origins,max_weight_g,price_minor\n"
        "southpost,ECO,tomorrow,EUR,PT,faro-01,2000,390\nsouthpost,ECO,,,PT,,1000,690\n",
        encoding="utf-8",
    )
    said = hub.ask("rates", "import", file)
    assert said.code == 65
    assert "line 2" in said.err
    assert "must be one of same_day, next_day, standard" in said.err
    assert "is no node: 'faro-01'" in said.err
    assert "line 3" in said.err

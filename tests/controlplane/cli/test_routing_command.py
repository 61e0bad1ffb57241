"""`bodegactl routing` against a real `serve`: a bundle is checked, tried, put in force, taken back, and explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bodega.core.routing.bundle import DEFAULT
from support.bodegactl import ControlPlane, new_database, serving_from
from support.faces import order_body
from support.moved_order import NODES, two_nodes
from support.routing import document

FARTHEST = [{"name": "far", "value": "node.distance_km", "weight": -1.0}]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane with TEA at both nodes."""
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        two_nodes(store, 40, 40)
    with serving_from(folder) as control_plane:
        yield control_plane


@pytest.fixture
def farthest(tmp_path: Path) -> Path:
    """A bundle by which whoever is farthest serves."""
    path = tmp_path / "farthest.json"
    path.write_bytes(document("farthest", 1, scores=FARTHEST))
    return path


def place(hub: ControlPlane, key: str) -> str:
    token = (hub.data_dir / "storefront.token").read_text(encoding="ascii").strip()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    body = order_body(("TEA", 1), reference=key)
    answer = httpx.post(f"{hub.http}/v1/orders", json=body, headers=headers)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    return str(answer.json()["order_id"])


def test_a_bundle_goes_from_its_file_into_force_and_back(hub: ControlPlane, farthest: Path) -> None:
    order_id = place(hub, "by-the-default")
    valid = hub.ask("routing", "validate", farthest, "--json").json()
    assert (valid["rule"], valid["in_force"], valid["added_at_ms"]) == ("farthest@1", False, 0)

    tried = hub.ask("routing", "simulate", farthest, "--json").json()
    assert (tried["before"]["by_node"], tried["after"]["by_node"]) == ({"lisbon-01": 1}, {"porto-01": 1})
    assert [change["order_id"] for change in tried["changes"]] == [order_id]
    text = hub.ask("routing", "simulate", farthest).out
    assert "farthest@1 would change 1 of 1 decisions." in text
    assert "at porto-01" in text

    made = hub.ask("routing", "activate", farthest, "--reason", "a trial", "--request-id", "once", "--json")
    assert (made.code, made.json()["activation"], made.json()["digest"]) == (0, 1, valid["digest"])
    again = hub.ask("routing", "activate", farthest, "--reason", "a trial", "--request-id", "once", "--json")
    assert again.json() == made.json()
    refused = hub.ask("routing", "activate", farthest, "--reason", "a trial")
    assert (refused.code, "in force already" in refused.err) == (1, True)

    far = place(hub, "by-the-farthest")
    (why,) = hub.ask("routing", "explain", far, "--json").json()["decisions"]
    assert (why["digest"], why["shares"][0]["node_id"]) == (valid["digest"], "porto-01")
    shown = hub.ask("routing", "explain", far).out
    assert "porto-01" in shown
    assert "farthest@1" in shown

    listed = hub.ask("routing", "ls", "--json").json()
    assert [one["rule"] for one in listed["bundles"] if one["in_force"]] == ["farthest@1"]
    assert {one["rule"] for one in listed["bundles"]} == {"farthest@1", DEFAULT.rule}
    assert [one["node_id"] for one in listed["nodes"]] == list(NODES)
    assert "waits for it" in hub.ask("routing", "ls").out
    assert hub.ask("routing", "show").out.strip() == hub.ask("routing", "show", "farthest@1").out.strip()

    back = hub.ask("routing", "rollback", "--reason", "too far", "--json").json()
    assert (back["activation"], back["rule"], back["rollback"]) == (2, DEFAULT.rule, True)
    assert hub.ask("routing", "rollback", "--reason", "further").code == 1
    (why,) = hub.ask("routing", "explain", place(hub, "by-the-default-again"), "--json").json()["decisions"]
    assert why["shares"][0]["node_id"] == "lisbon-01"

    replayed = hub.ask("routing", "replay", "--json")
    assert (replayed.code, {one["outcome"] for one in replayed.json()["replays"]}) == (0, {"same"})
    assert "3 come out as they were recorded" in hub.ask("routing", "replay", "--since", "1d").out
    assert len(hub.ask("routing", "replay", far, "--json").json()["replays"]) == 1


def test_a_bad_bundle_is_refused_with_every_fault_and_nothing_changes(
    hub: ControlPlane, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.json"
    filters = [{"name": "near", "keep": "node.distance < 5", "why": "is too far"}]
    bad.write_text(
        json.dumps(
            {"name": "bad", "version": 1, "stages": [{"name": "one", "when": "1 +"}], "filters": filters}
        )
    )
    before = hub.ask("routing", "ls", "--json").json()
    for command in (["validate", bad], ["activate", bad, "--reason", "a trial"], ["simulate", bad]):
        said = hub.ask("routing", *command)
        assert said.code == 65
        assert "stages[0].when" in said.err
        assert "filters[0].keep" in said.err
    assert hub.ask("routing", "ls", "--json").json() == before


def test_what_is_not_there_is_said_so(hub: ControlPlane, tmp_path: Path) -> None:
    for command in (
        ["show", "ghost@1"],
        ["explain", "O-ghost"],
        ["replay", "O-ghost"],
        ["validate", tmp_path / "ghost.json"],
        ["activate", "ghost@1", "--reason", "a trial"],
    ):
        said = hub.ask("routing", *command)
        assert said.code != 0
        assert "ghost" in said.err
    assert hub.ask("routing", "replay", "--since", "yesterday").code == 2

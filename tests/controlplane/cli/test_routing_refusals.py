"""`bodegactl routing validate|activate` with a bad bundle: every fault named, and the last good one stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bodega.core.routing.record import inputs_to_json
from support.bodegactl import ControlPlane, Said, in_process, new_database, serving_from
from support.faces import order_body
from support.moved_order import two_nodes
from support.routing import document
from support.routing_cases import LISBON, PORTO, question, site

GOOD = document("good", 1, scores=[{"name": "far", "value": "0.0 - node.distance_km"}])

ASKED = json.loads(inputs_to_json(question(site("lisbon-01", LISBON), site("porto-01", PORTO))))
# Nearest first, and whoever wrote its case thought that it was the other way round.
WRONG_CASE = {
    "scores": [{"name": "near", "value": "node.distance_km"}],
    "golden": [{"name": "tea-from-afar", "inputs": ASKED, "expect": {"nodes": ["porto-01"]}}],
}
# Each is well-formed; together they look at a list of 480 for each of fifty nodes, thirty-two times.
LONG_LIST = f"[{','.join(['1'] * 480)}].all(x, x > 0)"
SLOW = {"filters": [{"name": f"slow-{number}", "keep": LONG_LIST, "why": "no"} for number in range(32)]}

BAD: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "not JSON": (b'{"name": "bad",', ("JSON",)),
    "not a bundle": (b'["bad"]', ("must be",)),
    "syntax": (document("bad", 1, filters=[{"name": "f", "keep": "1 +", "why": "no"}]), ("filters[0].keep",)),
    "unknown field": (
        document(
            "bad",
            1,
            filters=[{"name": "f", "keep": "node.distance < 5.0", "why": "no"}],
            scores=[{"name": "s", "value": "order.colour"}],
        ),
        ("filters[0].keep", "did you mean node.distance_km?", "scores[0].value", "order.colour"),
    ),
    "golden case": (
        document("bad", 1, **WRONG_CASE),
        ("golden[0] tea-from-afar: expects porto-01, is lisbon-01",),
    ),
    "too slow": (document("bad", 1, **SLOW), ("fifty-nodes", "ms to decide, 50 at most")),
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane that decides by a good bundle, with TEA at both nodes."""
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        two_nodes(store, 40, 40)
    good = folder / "good.json"
    good.write_bytes(GOOD)
    with serving_from(folder) as control_plane:
        activated = routing(control_plane, "activate", good, "--reason", "to begin with")
        assert activated.code == 0, activated.err
        yield control_plane


def routing(hub: ControlPlane, *words: object) -> Said:
    """`bodegactl routing ...` against it, as its operator."""
    token = hub.data_dir / "operator.token"
    return in_process("--hub", hub.grpc, "--token-file", token, "routing", *words)


def decided_by(hub: ControlPlane, key: str) -> tuple[str, str]:
    """Place an order: the bundle that decided, and the node that it chose."""
    token = (hub.data_dir / "storefront.token").read_text(encoding="ascii").strip()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    answer = httpx.post(f"{hub.http}/v1/orders", json=order_body(("TEA", 1), reference=key), headers=headers)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    (why,) = routing(hub, "explain", answer.json()["order_id"], "--json").json()["decisions"]
    return why["rule"], why["shares"][0]["node_id"]


def in_force(hub: ControlPlane) -> dict[str, Any]:
    """All that `routing ls` tells."""
    told: dict[str, Any] = routing(hub, "ls", "--json").json()
    return told


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_bundle_is_refused_at_every_command_and_the_last_good_one_decides(
    hub: ControlPlane, tmp_path: Path, fault: str
) -> None:
    body, words = BAD[fault]
    bad = tmp_path / "bad.json"
    bad.write_bytes(body)
    before = in_force(hub)
    for command in (["validate", bad], ["activate", bad, "--reason", "a trial", "--json"]):
        said = routing(hub, *command)
        assert (said.code, said.out) == (65, ""), "bad data by its exit code, and no half of a document"
        assert said.err.startswith("error: ")
        assert not [word for word in words if word not in said.err], said.err
        assert "Traceback" not in said.err
    assert in_force(hub) == before
    assert [one["rule"] for one in before["bundles"] if one["in_force"]] == ["good@1"]
    assert decided_by(hub, f"after-{fault.replace(' ', '-')}") == ("good@1", "porto-01")


def test_what_was_refused_may_be_mended_under_the_same_name_and_version(
    hub: ControlPlane, tmp_path: Path
) -> None:
    file = tmp_path / "mended.json"
    file.write_bytes(document("mended", 1, **WRONG_CASE))
    assert routing(hub, "activate", file, "--reason", "a trial").code == 65
    right = [{**WRONG_CASE["golden"][0], "expect": {"nodes": ["lisbon-01"]}}]
    file.write_bytes(document("mended", 1, scores=WRONG_CASE["scores"], golden=right))
    assert routing(hub, "activate", file, "--reason", "mended").code == 0
    assert decided_by(hub, "mended") == ("mended@1", "lisbon-01")
    assert routing(hub, "rollback", "--reason", "the trial is over", "--json").json()["rule"] == "good@1"

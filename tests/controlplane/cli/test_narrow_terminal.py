"""Operators' tables on a terminal of 80 columns: every line fits, and every id is whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bodega_controlplane.app.ordering import orders
from support.bodegactl import ControlPlane, new_database, serving_from
from support.controlplane import POLICY, SHOP, NodeByHand, deliver, order_draft, settle

COLUMNS = 80


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with stock, nodes and an order."""
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        settle(store, "TEA-EARL-GREY-LOOSE-500-GRAMS", node_ids=("lisbon-01", "porto-01"))
        node = NodeByHand()
        node.shelve("TEA-EARL-GREY-LOOSE-500-GRAMS", 12)
        deliver(store, node.delivery())
        draft = order_draft(("TEA-EARL-GREY-LOOSE-500-GRAMS", 1), reference="WEB-2026-0000017")
        store.write(lambda tx: orders.place_order(tx, SHOP, draft, POLICY))
    with serving_from(folder) as control_plane:
        yield control_plane


def seen(hub: ControlPlane, *words: str) -> list[str]:
    """The lines of a command on a real pseudo-terminal of COLUMNS."""
    ours, theirs = os.openpty()
    location = {"BODEGACTL_HUB": hub.grpc, "BODEGACTL_TOKEN_FILE": str(hub.data_dir / "operator.token")}
    environment = {**os.environ, **location, "COLUMNS": str(COLUMNS), "TERM": "xterm"}
    command = [sys.executable, "-m", "bodega_controlplane.cli", *words]
    subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, env=environment, check=True, timeout=60)
    os.close(theirs)
    text = os.read(ours, 65_536).decode()
    os.close(ours)
    return text.split("\r\n")


@pytest.mark.parametrize(
    "words",
    [
        ("orders", "ls"),
        ("stock", "ls"),
        ("stock", "available", "TEA-EARL-GREY-LOOSE-500-GRAMS"),
        ("nodes", "ls"),
        ("catalog", "ls"),
        ("audit", "ls"),
    ],
    ids=" ".join,
)
def test_a_table_fits_and_ids_are_whole(hub: ControlPlane, words: tuple[str, ...]) -> None:
    lines = seen(hub, *words)
    assert max(map(len, lines)) <= COLUMNS, "\n".join(lines)
    shown = "\n".join(lines)
    wanted = {
        "orders": "lisbon-01",
        "stock": "TEA-EARL-GREY-LOOSE-500-GRAMS",
        "nodes": "porto-01",
        "catalog": "TEA-EARL-GREY-LOOSE-500-GRAMS",
        "audit": "node.registered",
    }
    assert wanted[words[0]] in shown


def test_an_orders_id_can_be_copied(hub: ControlPlane) -> None:
    [listed] = hub.ask("orders", "ls", "--json").json()["orders"]
    assert any(line.split()[:1] == [listed["order_id"]] for line in seen(hub, "orders", "ls"))

"""`bodegactl rights` against a real `bodegactl serve`: granted, listed, recalled; refused with what to do next."""

from __future__ import annotations

from support.bodegactl import ControlPlane

TEA = ("--node", "lisbon-01", "--sku", "TEA")


def test_rights_are_granted_listed_and_recalled(hub: ControlPlane) -> None:
    empty = hub.ask("rights", "ls")
    assert (empty.code, empty.out.startswith("No node holds rights:")) == (0, True)
    granted = hub.ask("rights", "grant", *TEA, "--quantity", "4", "--request-id", "q-1", "--json").json()
    assert granted["rights"] == {
        "sku_id": "TEA",
        "node_id": "lisbon-01",
        "held": 0,
        "promised": 0,
        "in_flight": 4,
        "wanted": 0,
    }
    again = hub.ask("rights", "grant", *TEA, "--quantity", "4", "--request-id", "q-1", "--json").json()
    assert again == granted
    assert "is on its way" in hub.ask("rights", "recall", *TEA, "--quantity", "3").out
    assert hub.ask("rights", "ls", "--json").json()["rights"] == [granted["rights"] | {"wanted": 3}]
    table = hub.ask("rights", "ls", "--node", "lisbon-01").out.splitlines()
    assert table[0].split() == ["SKU", "NODE", "HELD", "PROMISED", "IN", "FLIGHT", "WANTED"]
    assert table[-1].split() == ["TEA", "lisbon-01", "0", "0", "4", "3"]
    [row] = hub.ask("stock", "available", "TEA", "--json").json()["availability"]
    assert (row["node_rights"], row["available"]) == (4, 6)


def test_more_than_may_be_given_is_refused_with_the_breakdown(hub: ControlPlane) -> None:
    said = hub.ask("rights", "grant", *TEA, "--quantity", "50")
    assert said.code == 1
    assert "50 asked" in said.err
    assert "  next: " in said.err
    assert hub.ask("rights", "grant", *TEA, "--quantity", "0").code == 2
    assert hub.ask("rights", "grant", "--node", "nowhere", "--sku", "TEA", "--quantity", "1").code == 66

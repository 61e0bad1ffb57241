"""`bodegactl orders erase` against a real `bodegactl serve`."""

from __future__ import annotations

from pathlib import Path

from support.bodegactl import new_database, serving_from
from support.controlplane import deliver
from support.moved_order import Hand, news, place, two_nodes, works_of


def test_an_order_that_has_ended_is_erased_and_one_under_way_is_not(tmp_path: Path) -> None:
    with new_database(tmp_path) as store:
        lisbon, _ = two_nodes(store)
        sent, waiting = place(store), place(store, reference="R-2")
        Hand(lisbon, works_of(store, sent.order_id)[0], sent.order_id).ship()
        deliver(store, *news(store, lisbon))
    with serving_from(tmp_path, more="\n[privacy]\nrecipients_kept_days = 0\n") as hub:
        why = ("--reason", "asked for by the customer")
        refused = hub.ask("orders", "erase", sent.order_id, waiting.order_id, *why)
        assert (refused.code, "is under way" in refused.err) == (1, True)
        done = hub.ask("orders", "erase", sent.order_id, *why, "--json").json()
        assert done == {"erased_order_ids": [sent.order_id], "node_ids": ["lisbon-01"]}
        assert "no recipient any more" in hub.ask("orders", "erase", sent.order_id, *why).out
        assert hub.ask("orders", "erase", "O-0", *why).code == 66

"""`bodegactl orders erase` against a real `bodegactl serve`."""

from __future__ import annotations

from pathlib import Path

from bodega_controlplane.store.engine import open_store
from support.bodegactl import address_of_nobody, serving, write_config
from support.controlplane import deliver
from support.moved_order import Hand, news, place, two_nodes, works_of


def test_an_order_that_has_ended_is_erased_and_one_under_way_is_not(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    store = open_store("sqlite", data_dir)
    lisbon, _ = two_nodes(store)
    sent, waiting = place(store), place(store, reference="R-2")
    Hand(lisbon, works_of(store, sent.order_id)[0], sent.order_id).ship()
    deliver(store, *news(store, lisbon))
    store.close()
    config = write_config(tmp_path, data_dir, nats_url=f"nats://{address_of_nobody()}")
    with config.open("a", encoding="utf-8") as file:
        file.write("\n[privacy]\nrecipients_kept_days = 0\n")
    with serving(config, data_dir) as hub:
        why = ("--reason", "asked for by the customer")
        refused = hub.ask("orders", "erase", sent.order_id, waiting.order_id, *why)
        assert (refused.code, "is under way" in refused.err) == (1, True)
        done = hub.ask("orders", "erase", sent.order_id, *why, "--json").json()
        assert done == {"erased_order_ids": [sent.order_id], "node_ids": ["lisbon-01"]}
        assert "no recipient any more" in hub.ask("orders", "erase", sent.order_id, *why).out
        assert hub.ask("orders", "erase", "O-0", *why).code == 66

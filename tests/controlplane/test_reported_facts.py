"""What nodes report beside movements: serials, closed discrepancies, rules set aside, restored stores."""

from __future__ import annotations

from bodega.core.checkpoints import physical_sha256
from bodega.core.ledger import Account
from bodega.v1 import journal_pb2, stock_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.applying.effects import KNOWN_FACTS
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import stock
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import NodeByHand, deliver, rows_of, settle

NODES = ("lisbon-01", "porto-01")


def holding(node: NodeByHand, serial: str) -> None:
    """The node receives one unit of PHONE."""
    node.record(movement=stock_pb2.Movement(command="receive", postings=_from_to(serial)))


def leaving(node: NodeByHand, serial: str) -> None:
    """The unit leaves the node again."""
    back = [
        stock_pb2.Posting(account=posting.account, quantity=-posting.quantity, serials=[serial])
        for posting in reversed(_from_to(serial))
    ]
    node.record(movement=stock_pb2.Movement(command="transfer_out", postings=back))


def _from_to(serial: str) -> list[stock_pb2.Posting]:
    outside = stock_pb2.Account(sku_id="PHONE", external="supplier")
    dock = stock_pb2.Account(sku_id="PHONE", bin="DOCK", disposition="in_progress")
    return [
        stock_pb2.Posting(account=outside, quantity=-1, serials=[serial]),
        stock_pb2.Posting(account=dock, quantity=1, serials=[serial]),
    ]


def doubled(store: Store) -> list[tuple[str, str]]:
    page = store.read(lambda tx: stock.list_serials(tx, PageRequest(), in_two_nodes=True))
    return [(row.serial, row.node_id) for row in page.rows]


def test_a_serial_that_two_nodes_hold_is_found_whatever_came_first_and_is_gone_when_one_lets_go(
    store: Store,
) -> None:
    settle(store, "PHONE", node_ids=NODES)
    lisbon, porto = (NodeByHand(node_id) for node_id in NODES)
    for node, serials in ((lisbon, ("S-1", "S-2")), (porto, ("S-2",))):
        for serial in serials:
            holding(node, serial)
    deliver(store, porto.delivery(), lisbon.delivery())
    assert doubled(store) == [("S-2", "lisbon-01"), ("S-2", "porto-01")]
    after = len(lisbon.journal)
    leaving(lisbon, "S-2")
    deliver(store, lisbon.delivery(after))
    assert doubled(store) == []


def test_serials_are_listed_page_by_page_with_the_account_that_holds_them(store: Store) -> None:
    settle(store, "PHONE")
    node = NodeByHand()
    for serial in ("S-3", "S-1", "S-2"):
        holding(node, serial)
    deliver(store, node.delivery())
    first = store.read(lambda tx: stock.list_serials(tx, PageRequest(2), sku_id="PHONE"))
    rest = store.read(
        lambda tx: stock.list_serials(tx, PageRequest(2, first.next_page_token), sku_id="PHONE")
    )
    assert [row.serial for row in (*first.rows, *rest.rows)] == ["S-1", "S-2", "S-3"]
    assert first.rows[0].account.bin == "DOCK"
    alone = store.read(lambda tx: stock.list_serials(tx, PageRequest(), serial="S-3"))
    assert [row.serial for row in alone.rows] == ["S-3"]


def test_a_discrepancy_that_a_count_has_settled_says_which_event_closed_it(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    for lot in ("", "L-1"):
        node.record(
            discrepancy_opened=stock_pb2.DiscrepancyOpened(
                bin_id="A-01-01", sku_id="TEA", lot=lot, difference=1, reason="found"
            )
        )
    closing = stock_pb2.DiscrepancyClosed(bin_id="A-01-01", sku_id="TEA", opened=["1/1", "rubbish"])
    closed = node.record(discrepancy_closed=closing)
    deliver(store, node.delivery())
    assert [(row.seq, row.closed_seq) for row in rows_of(store, schema.discrepancy)] == [(1, closed), (2, 0)]


def test_a_rule_that_was_set_aside_is_known_with_its_reason_until_it_is_closed(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    for state in ("open", "closed"):
        node.record(
            override_changed=stock_pb2.OverrideChanged(
                override_id="O-1", rule="hold", sku_id="TEA", quantity=2, reason="damp", state=state
            )
        )
        deliver(store, node.delivery(len(node.journal) - 1))
        (row,) = rows_of(store, schema.rule_override)
        assert (row.rule, row.quantity, row.reason, row.actor, row.state) == (
            "hold",
            2,
            "damp",
            "associate",
            state,
        )


def test_a_restored_store_is_an_entry_of_the_audit_log(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.record(store_restored=stock_pb2.StoreRestored(backup_seq=3, replaced_seq=9, reason="disk died"))
    deliver(store, node.delivery())
    entries = store.read(lambda tx: audit.list_audit(tx, size=100))
    assert [entry.subject for entry in entries if entry.action == "node.restored"] == ["lisbon-01"]


def checkpoint(node: NodeByHand, basis_seq: int, balances: dict[Account, int]) -> int:
    """The node states the sum of its stock as of a sequence."""
    stated = stock_pb2.LedgerCheckpoint(basis_seq=basis_seq, physical_sha256=physical_sha256(balances))
    return node.record(ledger_checkpoint=stated)


def diverged_at(store: Store) -> int:
    (view,) = store.read(nodes.list_nodes)
    return view.diverged_seq


def test_a_checkpoint_is_held_against_our_copy_of_the_stock_as_of_its_basis(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 5)
    then, basis_seq = dict(node.balances), len(node.journal)
    node.move("receive", "TEA", 7, target="DOCK")
    deliver(store, node.delivery())
    after = len(node.journal)
    node.move("receive", "TEA", 1, target="DOCK")
    checkpoint(node, basis_seq, then)
    deliver(store, node.delivery(after))
    assert diverged_at(store) == 0, "what came after the basis, in this batch and before it, is left out"


def test_a_copy_that_differs_is_shown_until_a_checkpoint_agrees_again(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 5)
    basis_seq = len(node.journal)
    checkpoint(node, basis_seq, {**node.balances, Account("TEA", "A-09-09", "damaged"): 1})
    deliver(store, node.delivery())
    assert diverged_at(store) == basis_seq
    after = len(node.journal)
    checkpoint(node, after, node.balances)
    deliver(store, node.delivery(after))
    assert diverged_at(store) == 0
    actions = [entry.action for entry in store.read(lambda tx: audit.list_audit(tx, subject="lisbon-01"))]
    assert [
        one for one in reversed(actions) if (one.startswith("node.") and "agree" in one) or "diverged" in one
    ] == [
        "node.diverged",
        "node.agrees_again",
    ]


def test_every_fact_that_a_node_can_report_has_an_effect_here() -> None:
    facts = {field.name for field in journal_pb2.NodeEvent.DESCRIPTOR.oneofs_by_name["fact"].fields}
    assert facts == KNOWN_FACTS

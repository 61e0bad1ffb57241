"""Transfers and edits between a real hub and two real nodes: conserved, and the same for all, whatever arrives when.

Envelopes come late and again, nodes and hub restart. The stores are the ones that run in the field; only the wire is
the test's.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bodega.core.commands import decode
from bodega.core.transfers import TransferState, in_transit
from bodega.errors import Refused
from bodega.v1 import catalogue_pb2
from bodega_agent.store import proposals as edits
from bodega_agent.store.commands import run
from bodega_agent.store.transaction import Context
from bodega_controlplane.app.deciding import proposals
from bodega_controlplane.app.goods import catalogue, transfers
from bodega_controlplane.store import transfers as rows
from bodega_controlplane.store.schema import conflict
from support.controlplane import OPERATOR, rows_of, sku
from support.rights_world import NODES, SKU, RightsNode, RightsWorld

STOCK = 30
NODE = st.integers(0, len(NODES) - 1)
UNITS = st.integers(1, 4)
AGAIN = st.integers(0, 3)
FEW = st.integers(1, 5)
TRANSFERS = ("T-1", "T-2")
TRANSFER = st.sampled_from(TRANSFERS)
SENT, ARRIVED, LOST, FOUND = "transfer_out", "transfer_in", "transfer_missing", "transfer_surplus"
SIGNS = {SENT: 1, ARRIVED: -1, LOST: -1, FOUND: 1}


class GoodsBetweenStores(RuleBasedStateMachine):
    """Days of a hub and two nodes that send each other goods and mend the catalogue, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.world = RightsWorld(Path(self._folder.name), STOCK)
        for node in self.world.nodes:
            self.world.drain(node)
        self.number = 0

    def _node(self, number: int) -> RightsNode:
        return self.world.nodes[number]

    def _do(self, node: RightsNode, command: str, **fields: Any) -> None:
        self.number += 1
        body = {"command": command, "cmd_id": f"c-{self.number}", **fields}
        node.ask(lambda tx: run(tx, Context("c", actor="ana"), decode(body)))

    @rule(node=NODE, transfer=TRANSFER, units=UNITS, final=st.booleans())
    def goods_leave(self, node: int, transfer: str, units: int, final: bool) -> None:
        """For the other node."""
        self._do(
            self._node(node),
            SENT,
            sku_id=SKU,
            quantity=units,
            bin_id="A-01-01",
            transfer_id=transfer,
            final=final,
        )

    @rule(node=NODE, transfer=TRANSFER, units=UNITS, final=st.booleans())
    def goods_arrive(self, node: int, transfer: str, units: int, final: bool) -> None:
        """As many as were sent, fewer, more, or before anything was heard of them."""
        self._do(self._node(node), ARRIVED, sku_id=SKU, quantity=units, transfer_id=transfer, final=final)

    @rule(transfer=TRANSFER)
    def a_person_closes_a_transfer(self, transfer: str) -> None:
        """If the hub knows it and it does not add up."""
        if self.world.hub.read(lambda tx: rows.of(tx, transfer)) is not None:
            with suppress(Refused):
                self.world.hub.write(lambda tx: transfers.close_transfer(tx, OPERATOR, transfer, "lost"))

    @rule(node=NODE, weight=st.integers(1, 9))
    def somebody_weighs(self, node: int, weight: int) -> None:
        """And tells the hub."""
        self._node(node).ask(
            lambda tx: edits.propose(
                tx, Context("edit", actor="ana"), kind="sku", subject=SKU, values={"weight_g": str(weight)}
            )
        )

    @rule(weight=st.integers(10, 19))
    def the_hub_changes_the_weight(self, weight: int) -> None:
        """In its own catalogue."""
        draft = replace(sku(SKU), weight_g=weight)
        self.world.hub.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [draft]))

    @rule(node=NODE, back=AGAIN, count=FEW)
    def hub_events_arrive(self, node: int, back: int, count: int) -> None:
        """Some again, some for the first time."""
        self.world.bring_down(self._node(node), back, count)

    @rule(node=NODE, back=AGAIN, count=FEW)
    def node_events_arrive(self, node: int, back: int, count: int) -> None:
        """Cut anywhere."""
        self.world.bring_up(self._node(node), back, count)

    @rule(node=NODE)
    def a_node_restarts(self, node: int) -> None:
        """The agent."""
        self._node(node).restart()

    @rule()
    def the_hub_restarts(self) -> None:
        """Its database is closed and opened."""
        self.world.restart_hub()

    def _moved(self, node: RightsNode) -> dict[str, dict[str, int]]:
        """Units that a node's own journal tells of each transfer, by command."""
        units = {transfer: dict.fromkeys(SIGNS, 0) for transfer in TRANSFERS}
        for fact in node.facts(0):
            moved = fact.movement
            under_way = [p.quantity for p in moved.postings if p.account.external.startswith("in_transit:")]
            if under_way:
                units[moved.transfer_id][moved.command] += abs(sum(under_way))
        return units

    @invariant()
    def transfers_are_conserved(self) -> None:
        """Sent = received + in transit + written off: by the journals, and by each node's own book."""
        assert self.world.refused_or_parked() == 0, "every event has found its effect"
        sql = (
            "SELECT external, sum(quantity) FROM balance WHERE external LIKE 'in_transit:%' GROUP BY external"
        )
        for node in self.world.nodes:
            book = node.ask(lambda tx: dict(map(tuple, tx.execute(sql))))
            for transfer, told in self._moved(node).items():
                net = sum(SIGNS[name] * units for name, units in told.items())
                assert book.get(f"in_transit:{transfer}", 0) == net

    def teardown(self) -> None:
        """Everything arrives; each side says that nothing follows; then every transfer closes and all agree."""
        self._drain()
        for transfer in TRANSFERS:
            if self.world.hub.read(lambda tx, t=transfer: rows.of(tx, t)) is not None:
                for node in self.world.nodes:
                    self._do(
                        node, SENT, sku_id=SKU, quantity=1, bin_id="A-01-01", transfer_id=transfer, final=True
                    )
                self._do(self._node(0), ARRIVED, sku_id=SKU, quantity=1, transfer_id=transfer, final=True)
        self._drain()
        for transfer in TRANSFERS:
            self._check_closed(transfer)
        self._check_catalogue()
        self.world.close()
        self._folder.cleanup()

    def _drain(self) -> None:
        # A word of the hub makes an event of the node, which may make another word of the hub.
        for _round in range(6):
            for node in self.world.nodes:
                self.world.drain(node)

    def _check_closed(self, transfer: str) -> None:
        row = self.world.hub.read(lambda tx: rows.of(tx, transfer))
        if row is None:
            return
        said = self.world.hub.read(lambda tx: rows.said_of(tx, [transfer]))[transfer]
        assert (row.state, in_transit(said)) == (TransferState.CLOSED, {})
        for node in self.world.nodes:
            told = self._moved(node)[transfer]
            sums = [amounts for (name, _kind), amounts in said.items() if name == node.node_id]
            assert sum(one.shipped for one in sums) == told[SENT]
            assert sum(one.received for one in sums) == told[ARRIVED]
            assert sum(one.written_off for one in sums) == told[LOST] - told[FOUND]
        written_off = any(self._moved(node)[transfer][LOST] for node in self.world.nodes)
        kinds = {one.kind for one in rows_of(self.world.hub, conflict)}
        assert not written_off or "transfer_differs" in kinds

    def _check_catalogue(self) -> None:
        found = self.world.hub.read(lambda tx: catalogue.view_of(tx, SKU))
        assert found is not None
        for node in self.world.nodes:
            body = node.ask(lambda tx: tx.one("SELECT body FROM sku WHERE sku_id = ?", (SKU,)))
            assert body is not None
            held = catalogue_pb2.Sku.FromString(body[0])
            assert (held.weight_g, held.version) == (found[0].weight_g, found[0].version)
        proposed = sum(fact.HasField("field_proposed") for node in self.world.nodes for fact in node.facts(0))
        kept = self.world.hub.read(lambda tx: proposals.list_proposals(tx, size=500))
        assert len(kept) == proposed, "no edit is forgotten"
        assert {one.state for one in kept} <= {"applied", "lost"}
        lost = [one for one in kept if one.state == "lost"]
        assert all(one.conflict_id for one in lost)


GoodsBetweenStores.TestCase.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestGoodsBetweenStores = GoodsBetweenStores.TestCase

"""Edits of nodes at the hub: owner and seen version decide, winners reach every node, losers are kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.core.tables import IllegalTransition
from bodega.errors import InvalidInput, NotFound
from bodega.v1 import catalogue_pb2, journal_pb2
from bodega_controlplane.app.deciding import proposals
from bodega_controlplane.app.deciding.proposals import ProposalView
from bodega_controlplane.app.fleet import nodes, outbox
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.node_views import BinDraft
from bodega_controlplane.app.ordering import decisions
from bodega_controlplane.app.views import ConflictView, SkuDraft, SkuView
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, NodeByHand, deliver, gtin_of, node_draft, settle, sku

LISBON, PORTO = "lisbon-01", "porto-01"


class Edits:
    """Two nodes by hand that propose; each proposal is delivered at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        settle(store, "TEA", "SALT", node_ids=(LISBON, PORTO))
        self.nodes = {name: NodeByHand(name) for name in (LISBON, PORTO)}

    def propose(
        self, name: str, field: str, value: str, *, base: int = 1, kind: str = "sku", subject: str = "TEA"
    ) -> str:
        """Record and deliver; the proposal's id."""
        node = self.nodes[name]
        before = len(node.journal)
        said = catalogue_pb2.FieldProposed(
            kind=kind, subject=subject, field=field, value=value, base_version=base, reason="on the scale"
        )
        seq = node.record(field_proposed=said)
        deliver(self.store, node.delivery(before))
        return f"{name}/1/{seq}"

    def found(self, proposal_id: str) -> ProposalView:
        (one,) = [one for one in self.store.read(proposals.list_proposals) if one.proposal_id == proposal_id]
        return one

    def apply(self, proposal_id: str) -> ProposalView:
        return self.store.write(
            lambda tx: proposals.apply_proposal(tx, OPERATOR, proposal_id, lambda text: b"signed")
        )[0]

    def tea(self) -> SkuView:
        found = self.store.read(lambda tx: catalogue.view_of(tx, "TEA"))
        assert found is not None
        return found[0]

    def told(self, name: str) -> list[journal_pb2.HubEvent]:
        envelope = self.store.read(lambda tx: outbox.envelope_from(tx, name, 1, 1))
        assert envelope is not None
        return [journal_pb2.HubEvent.FromString(body) for body in envelope.events]

    def conflicts(self) -> tuple[ConflictView, ...]:
        return self.store.read(decisions.list_conflicts)


@pytest.fixture
def edits(store: Store) -> Edits:
    return Edits(store)


def test_a_weight_from_one_node_reaches_every_node(edits: Edits) -> None:
    proposal_id = edits.propose(LISBON, "weight_g", "120")
    assert edits.found(proposal_id).state == "applied"
    assert (edits.tea().weight_g, edits.tea().version) == (120, 2)
    for name in (LISBON, PORTO):
        assert edits.told(name)[-1].sku.weight_g == 120
    assert edits.conflicts() == ()


def test_the_second_of_two_that_did_not_know_of_each_other_loses_and_can_be_put_in_force(
    edits: Edits,
) -> None:
    first = edits.propose(LISBON, "weight_g", "120")
    second = edits.propose(PORTO, "weight_g", "125")
    assert (edits.found(first).state, edits.found(second).state) == ("applied", "lost")
    assert edits.tea().weight_g == 120
    (row,) = edits.conflicts()
    assert (row.state, row.sku_id, set(row.inputs)) == ("settled", "TEA", {first, second})
    assert edits.found(second).conflict_id == row.conflict_id
    assert edits.apply(second).state == "applied"
    assert (edits.tea().weight_g, edits.told(LISBON)[-1].sku.weight_g) == (125, 125)
    (row,) = edits.conflicts()
    assert (row.state, row.decided_by, row.decision) == ("resolved", "operator", "weight_g of sku TEA is 125")


def test_an_edit_loses_to_a_change_at_the_hub_that_it_had_not_seen_and_not_to_one_of_another_field(
    edits: Edits,
) -> None:
    draft = replace(sku("TEA"), weight_g=99)
    edits.store.write(lambda tx: catalogue.upsert_skus(tx, OPERATOR, [draft]))
    lost = edits.propose(LISBON, "weight_g", "120", base=1)
    won = edits.propose(LISBON, "volume_ml", "330", base=1)
    seen = edits.propose(PORTO, "weight_g", "121", base=2)
    assert [edits.found(one).state for one in (lost, won, seen)] == ["lost", "applied", "applied"]
    assert (edits.tea().weight_g, edits.tea().volume_ml) == (121, 330)
    (row,) = edits.conflicts()
    assert row.inputs == (lost, "hub/sku:TEA/2")


def test_units_and_barcodes_wait_for_a_person_and_are_checked_like_any_change(edits: Edits) -> None:
    units = edits.propose(LISBON, "units", f"case=12/{gtin_of(5)}")
    taken = edits.propose(PORTO, "gtins", gtin_of(5), subject="SALT")
    assert {edits.found(one).state for one in (units, taken)} == {"waiting"}
    assert edits.tea().units == ()
    assert all(row.state == "open" and row.needs for row in edits.conflicts())
    edits.apply(units)
    assert [(one.unit, one.base_units, one.gtins) for one in edits.tea().units] == [
        ("case", 12, (f"0{gtin_of(5)}",))
    ]
    with pytest.raises(InvalidInput) as invalid:
        edits.apply(taken)
    assert "means SKU TEA already" in invalid.value.faults[0].problem
    assert edits.found(taken).state == "waiting"


def test_a_setting_is_put_in_force_by_a_person_who_signs_it(edits: Edits) -> None:
    proposal_id = edits.propose(LISBON, "value", "off", kind="setting", subject="vision.mode", base=0)
    assert edits.found(proposal_id).state == "waiting"
    edits.apply(proposal_id)
    desired = edits.told(LISBON)[-1].desired_state
    assert (dict(desired.settings), desired.generation, desired.signature) == (
        {"vision.mode": "off"},
        1,
        b"signed",
    )
    assert edits.told(PORTO)[-1].WhichOneof("fact") != "desired_state"


def test_the_order_of_a_walk_is_the_nodes_word_also_when_its_profile_is_registered_again(
    edits: Edits,
) -> None:
    proposal_id = edits.propose(LISBON, "walk_order", "9", kind="bin", subject="A-01-01")
    assert edits.found(proposal_id).state == "applied"
    bins = (BinDraft("A-01-01", 1), BinDraft("A-01-02", 2), BinDraft("B-1", 3))
    draft = replace(node_draft(LISBON), bins=bins)
    edits.store.write(lambda tx: nodes.register_node(tx, OPERATOR, draft))
    profile = edits.told(LISBON)[-1].node_profile
    assert {one.bin_id: one.walk_order for one in profile.bins} == {"A-01-01": 9, "A-01-02": 2, "B-1": 3}


def test_what_can_not_be_is_refused_with_a_reason_and_stalls_nothing(edits: Edits) -> None:
    refused = [
        edits.propose(LISBON, "name", "Tee"),
        edits.propose(LISBON, "weight_g", "heavy"),
        edits.propose(LISBON, "weight_g", "1", subject="GHOST"),
        edits.propose(LISBON, "walk_order", "1", kind="bin", subject="Z-9"),
    ]
    assert [edits.found(one).state for one in refused] == ["refused"] * 4
    assert "no sku 'GHOST'" in edits.found(refused[2]).why
    assert "no bin 'Z-9'" in edits.found(refused[3]).why
    assert edits.found(edits.propose(LISBON, "weight_g", "7")).state == "applied"


def test_a_proposal_is_put_in_force_once_and_one_that_is_not_there_is_not_found(edits: Edits) -> None:
    done = edits.propose(LISBON, "weight_g", "120")
    with pytest.raises(IllegalTransition):
        edits.apply(done)
    with pytest.raises(NotFound, match="no proposal 'x/1/1'"):
        edits.apply("x/1/1")


def test_open_proposals_are_listed_alone(edits: Edits) -> None:
    edits.propose(LISBON, "weight_g", "120")
    waiting = edits.propose(LISBON, "lot_tracked", "true")
    shown = edits.store.read(lambda tx: proposals.list_proposals(tx, open_only=True))
    assert [one.proposal_id for one in shown] == [waiting]
    assert isinstance(edits.tea(), SkuDraft)

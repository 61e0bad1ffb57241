"""The catalogue and the nodes: checked as a whole, versioned, and told to every node once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bodega.codec import desired_state_text
from bodega.core.sync import Head, Verdict, judge
from bodega.errors import InvalidInput, NotFound
from bodega.v1 import journal_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.fleet import nodes, outbox
from bodega_controlplane.app.goods import catalogue, stock
from bodega_controlplane.app.node_views import BinDraft, SsccRange
from bodega_controlplane.app.views import GeoPoint, PageRequest, SkuComponent, SkuDraft, SkuUnit
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store.engine import Store
from support.controlplane import (
    OPERATOR,
    POLICY,
    SHOP,
    NodeByHand,
    deliver,
    gtin_of,
    node_draft,
    settle,
    sku,
)


def told(store: Store, node_id: str = "lisbon-01") -> list[journal_pb2.HubEvent]:
    """Everything that the hub has told a node, checked as the node checks it."""
    head, events = Head(), []
    while envelope := store.read(lambda tx, seq=head.seq: outbox.envelope_from(tx, node_id, 1, seq + 1)):
        assert judge(head, envelope).verdict is Verdict.APPLY
        head = Head(1, envelope.last_seq, envelope.last_hash)
        events += [journal_pb2.HubEvent.FromString(body) for body in envelope.events]
    return events


def upsert(store: Store, *drafts: SkuDraft) -> int:
    return store.write(lambda tx: catalogue.upsert_skus(tx, SHOP, drafts))[0]


def test_a_sku_gets_a_version_and_only_a_change_raises_it(store: Store) -> None:
    tea = sku("TEA", gtin_of(1), gtin_of(2))
    assert upsert(store, tea, sku("SALT")) == 2
    assert upsert(store, tea, sku("SALT")) == 0
    assert upsert(store, replace(tea, name="Green tea"), sku("SALT")) == 1
    salt, tea_now = store.read(lambda tx: catalogue.list_skus(tx, PageRequest())).rows
    assert (salt.version, tea_now.version, tea_now.name) == (1, 2, "Green tea")
    assert tea_now.gtins == (f"0{gtin_of(1)}", f"0{gtin_of(2)}")


def test_every_fault_of_a_catalogue_is_named_and_nothing_is_written(store: Store) -> None:
    wrong_digit = gtin_of(1)[:-1] + str((int(gtin_of(1)[-1]) + 1) % 10)
    drafts = [
        SkuDraft("", "Nameless"),
        SkuDraft("TEA", " ", (wrong_digit, "12")),
        SkuDraft("SALT", "Salt", (gtin_of(2),), weight_g=-1),
        SkuDraft("SALT", "Salt again"),
        SkuDraft("RICE", "Rice", (gtin_of(2),)),
        SkuDraft("BUN", "<script>alert(1)</script>"),
    ]
    with pytest.raises(InvalidInput) as invalid:
        upsert(store, *drafts)
    assert [fault.where for fault in invalid.value.faults] == [
        "skus[0].sku_id",
        "skus[1].name",
        "skus[1].gtins[0]",
        "skus[1].gtins[1]",
        "skus[2].weight_g",
        "skus[5].name",
        "skus[3].sku_id",
        "skus[4].gtins[0]",
    ]
    assert store.read(lambda tx: catalogue.list_skus(tx, PageRequest())).rows == ()


def test_units_kits_and_tracking_reach_the_nodes_and_a_change_of_units_has_its_own_version(
    store: Store,
) -> None:
    case = SkuUnit("case", 12, (gtin_of(3),))
    milk = SkuDraft(
        "MILK",
        "Milk",
        (gtin_of(1),),
        lot_tracked=True,
        expiry_tracked=True,
        base_unit="carton",
        units=(case,),
    )
    phone = SkuDraft("PHONE", "Phone", serial_tracked=True)
    gift = SkuDraft("GIFT", "Gift", components=(SkuComponent("MILK", 2), SkuComponent("PHONE", 1)))
    assert upsert(store, gift, milk, phone) == 3, "a kit may come before its parts"
    assert upsert(store, gift, milk, phone) == 0
    assert upsert(store, replace(milk, name="Whole milk")) == 1
    assert upsert(store, replace(milk, name="Whole milk", units=(case, SkuUnit("pallet", 720)))) == 1
    store.write(lambda tx: nodes.register_node(tx, OPERATOR, node_draft("lisbon-01")))
    skus = {event.sku.sku_id: event.sku for event in told(store) if event.WhichOneof("fact") == "sku"}
    assert (skus["MILK"].units_version, skus["MILK"].version) == (2, 3)
    assert [(one.unit, one.base_units, list(one.gtins)) for one in skus["MILK"].units] == [
        ("case", 12, [f"0{gtin_of(3)}"]),
        ("pallet", 720, []),
    ]
    assert (skus["MILK"].expiry_tracked, skus["MILK"].base_unit) == (True, "carton")
    assert skus["PHONE"].serial_tracked
    assert [(one.sku_id, one.quantity) for one in skus["GIFT"].components] == [("MILK", 2), ("PHONE", 1)]


def test_units_and_kits_that_can_not_be_are_named_with_their_place(store: Store) -> None:
    drafts = [
        SkuDraft("MILK", "Milk", (gtin_of(1),), expiry_tracked=True, units=(SkuUnit("each", 0),)),
        SkuDraft("TEA", "Tea", (gtin_of(2),), units=(SkuUnit("case", 6, (gtin_of(1), gtin_of(2))),)),
        SkuDraft("GIFT", "Gift", components=(SkuComponent("GIFT", 1), SkuComponent("NONE", 1))),
    ]
    with pytest.raises(InvalidInput) as invalid:
        upsert(store, *drafts)
    assert [fault.where for fault in invalid.value.faults] == [
        "skus[0].units[0].base_units",
        "skus[0].units[0].unit",
        "skus[0].expiry_tracked",
        "skus[2].components[0].sku_id",
        "skus[1].units[0].gtins[0]",
        "skus[1].units[0].gtins[1]",
        "skus[2].components[1].sku_id",
    ]


def test_a_sku_stays_with_its_owner_because_stock_is_kept_by_owner(store: Store) -> None:
    upsert(store, SkuDraft("TEA", "Tea", owner="ACME"))
    with pytest.raises(InvalidInput) as invalid:
        upsert(store, SkuDraft("TEA", "Tea", owner="ZENITH"))
    assert [fault.where for fault in invalid.value.faults] == ["skus[0].owner"]


def test_a_gtin_means_one_sku_until_that_sku_gives_it_up(store: Store) -> None:
    upsert(store, sku("TEA", gtin_of(1)))
    with pytest.raises(InvalidInput, match="fault") as invalid:
        upsert(store, sku("SALT", gtin_of(1)))
    assert "means SKU TEA already" in invalid.value.faults[0].problem
    assert upsert(store, sku("SALT", gtin_of(1)), sku("TEA")) == 2


def test_none_and_too_many_skus_are_refused(store: Store) -> None:
    for drafts in ((), tuple(sku(f"S-{number}") for number in range(1001))):
        with pytest.raises(InvalidInput, match="catalogue"):
            upsert(store, *drafts)


def test_the_catalogue_is_listed_by_id_page_by_page(store: Store) -> None:
    upsert(store, *(sku(f"S-{number}") for number in (3, 1, 2)))
    first = store.read(lambda tx: catalogue.list_skus(tx, PageRequest(2)))
    rest = store.read(lambda tx: catalogue.list_skus(tx, PageRequest(2, first.next_page_token)))
    assert [one.sku_id for one in (*first.rows, *rest.rows)] == ["S-1", "S-2", "S-3"]
    assert rest.next_page_token == ""


def test_a_new_node_is_told_its_profile_and_the_whole_catalogue_and_then_each_change(store: Store) -> None:
    upsert(store, sku("TEA", gtin_of(1)), sku("SALT"))
    view = store.write(lambda tx: nodes.register_node(tx, OPERATOR, node_draft("lisbon-01")))[0]
    assert (view.node_id, view.epoch, view.down_head_seq, view.health) == ("lisbon-01", 1, 3, None)
    upsert(store, replace(sku("TEA", gtin_of(1)), name="Green tea"))
    events = told(store)
    assert [event.WhichOneof("fact") for event in events] == ["node_profile", "sku", "sku", "sku"]
    assert (events[-1].sku.name, events[-1].sku.version) == ("Green tea", 2)
    assert (events[0].node_profile.version, len(events[0].node_profile.bins)) == (1, 2)


def test_a_new_profile_of_a_known_node_keeps_its_streams(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 4)
    deliver(store, node.delivery())
    moved = replace(node_draft("lisbon-01"), name="Moved", bins=(BinDraft("B-1", 1),))
    view = store.write(lambda tx: nodes.register_node(tx, OPERATOR, moved))[0]
    assert (view.name, view.applied_seq, view.down_head_seq) == ("Moved", 2, 3)
    assert told(store)[-1].node_profile.version == 2


def test_every_fault_of_a_profile_is_named(store: Store) -> None:
    bad = replace(
        node_draft("no spaces"),
        location=GeoPoint(0, 181),
        ship_from=(),
        sscc_range=SsccRange(10, "5600000", 5, 4),
        bins=(BinDraft("A", 1), BinDraft("A", 2)),
    )
    with pytest.raises(InvalidInput) as invalid:
        store.write(lambda tx: nodes.register_node(tx, OPERATOR, bad))
    assert [fault.where for fault in invalid.value.faults] == [
        "profile.node_id",
        "profile.location.longitude",
        "profile.ship_from",
        "profile.bins[1].bin_id",
        "profile.sscc_range.extension",
        "profile.sscc_range.last_serial",
    ]


def test_two_nodes_never_share_sscc_serials(store: Store) -> None:
    settle(store, "TEA")
    with pytest.raises(InvalidInput) as invalid:
        store.write(lambda tx: nodes.register_node(tx, OPERATOR, node_draft("porto-01", number=0)))
    assert "shares serials with node lisbon-01" in invalid.value.faults[0].problem


def test_a_desired_state_is_signed_and_its_generation_rises(store: Store, tmp_path) -> None:
    settle(store, "TEA")
    key = load_hub_key(tmp_path)
    for wanted in (1, 2):
        generation = store.write(
            lambda tx: nodes.set_desired_state(tx, OPERATOR, "lisbon-01", {"vision.mode": "off"}, key.sign)
        )[0]
        assert generation == wanted
    desired = told(store)[-1].desired_state
    text = desired_state_text("lisbon-01", 2, {"vision.mode": "off"}.items())
    Ed25519PublicKey.from_public_bytes(key.verify_key).verify(desired.signature, text)
    (view,) = store.read(nodes.list_nodes)
    assert (view.desired_generation, view.reported_generation) == (2, 0)
    with pytest.raises(NotFound):
        store.write(lambda tx: nodes.set_desired_state(tx, OPERATOR, "ghost", {}, key.sign))


def test_stock_is_listed_by_node_bin_and_sku_page_by_page_without_external_accounts(store: Store) -> None:
    settle(store, "TEA", "SALT", node_ids=("lisbon-01", "porto-01"))
    for node_id in ("lisbon-01", "porto-01"):
        node = NodeByHand(node_id)
        node.shelve("TEA", 4, "A-01-02")
        node.shelve("SALT", 5, "A-01-02")
        node.shelve("TEA", 6, "A-01-01")
        deliver(store, node.delivery())
    seen, token = [], ""
    while True:
        page = store.read(lambda tx, token=token: stock.list_stock(tx, PageRequest(2, token)))
        seen += [(row.node_id, row.bin, row.sku_id, row.on_hand) for row in page.rows]
        token = page.next_page_token
        if not token:
            break
    one_node = [("A-01-01", "TEA", 6), ("A-01-02", "SALT", 5), ("A-01-02", "TEA", 4)]
    assert seen == [(node_id, *row) for node_id in ("lisbon-01", "porto-01") for row in one_node]
    only = store.read(lambda tx: stock.list_stock(tx, PageRequest(), node_id="porto-01", sku_id="SALT"))
    assert [row.on_hand for row in only.rows] == [5]


def test_availability_adds_up_for_every_node_and_unknown_skus_are_zeros(store: Store) -> None:
    settle(store, "TEA", node_ids=("lisbon-01", "porto-01"))
    node = NodeByHand()
    node.shelve("TEA", 7)
    deliver(store, node.delivery())
    rows = store.read(lambda tx: stock.list_availability(tx, ["TEA", "GHOST", "TEA"], POLICY))
    assert [(row.sku_id, row.node_id, row.sellable, row.available) for row in rows] == [
        ("GHOST", "lisbon-01", 0, 0),
        ("GHOST", "porto-01", 0, 0),
        ("TEA", "lisbon-01", 7, 5),
        ("TEA", "porto-01", 0, 0),
    ]
    for wrong in ([], [f"S-{number}" for number in range(201)]):
        with pytest.raises(InvalidInput):
            store.read(lambda tx, wrong=wrong: stock.list_availability(tx, wrong, POLICY))


def test_every_change_leaves_a_line_in_the_audit_trail_that_verifies(store: Store) -> None:
    settle(store, "TEA")
    entries = store.read(audit.list_audit)
    assert [(entry.action, entry.subject) for entry in entries] == [
        ("sku.changed", "TEA"),
        ("node.registered", "lisbon-01"),
    ]
    check = store.read(audit.verify_audit)
    assert (check.entries, check.first_bad_seq) == (2, 0)

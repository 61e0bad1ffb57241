"""What a profile says of its node's floor: brought to the node as it is, refused with every fault at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.codec import parse_hub_event
from bodega.core.pins import pin_hash
from bodega.errors import InvalidInput
from bodega.limits_hub import NODE_CAPACITY_ORDERS_MAX, NODE_LABELS_MAX
from bodega.v1 import catalogue_pb2 as pb
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.node_views import BinDraft, NodeDraft
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, PORTO, node_draft, rows_of

SALT = b"s" * 16
ANA = pb.Associate(
    associate_id="ana", name="Ana", role="lead", pin_salt=SALT, pin_hash=pin_hash("2468", SALT)
)
RUI = pb.Associate(associate_id="rui", name="Rui", role="associate", badge="8018560000000000000017")
BOX = pb.Carton(
    carton_id="BOX-S", length_mm=200, width_mm=150, height_mm=100, weight_g=80, max_weight_g=5_000
)
ZONE = pb.RateZone(
    zone="PT", countries=["PT"], brackets=[pb.RateBracket(max_weight_g=2_000, price_minor=390)]
)
STANDARD = pb.CarrierService(
    service="STANDARD",
    carrier="northpost",
    service_class="standard",
    cut_off_minute=1_050,
    currency="EUR",
    zones=[ZONE],
)
S10 = pb.TrackingRange(
    carrier="northpost", scheme="s10", prefix="RA", suffix="PT", first_number=0, last_number=999, digits=8
)
SHELF = BinDraft("A-01-01", 1, "pick_face", "chilled", "A", 40_000, 20_000, "MILK", 6, 24)
FLOOR = replace(
    node_draft("lisbon-01"),
    bins=(SHELF, BinDraft("Q-1", 2, "quality")),
    cartons=(BOX,),
    associates=(ANA, RUI),
    carrier_services=(STANDARD,),
    tracking_ranges=(S10,),
    time_zone="Europe/Lisbon",
)


def register(store: Store, draft: NodeDraft) -> None:
    store.write(lambda tx: nodes.register_node(tx, OPERATOR, draft))


def faults_of(store: Store, draft: NodeDraft) -> list[str]:
    """Where the faults of a profile are; nothing is written."""
    with pytest.raises(InvalidInput) as invalid:
        register(store, draft)
    return [fault.where for fault in invalid.value.faults]


def test_a_node_is_told_its_cartons_people_carriers_and_what_its_bins_are_for(store: Store) -> None:
    register(store, FLOOR)
    (row,) = rows_of(store, schema.down_log)
    profile = parse_hub_event(row.body).node_profile
    shelf = pb.Bin(
        bin_id="A-01-01",
        walk_order=1,
        kind="pick_face",
        temperature_class="chilled",
        velocity_class="A",
        capacity_ml=40_000,
        capacity_g=20_000,
        fixed_sku_id="MILK",
        refill_below=6,
        refill_to=24,
    )
    assert profile.bins[0] == shelf
    assert (profile.cartons[0], list(profile.associates)) == (BOX, [ANA, RUI])
    assert (profile.carrier_services[0], profile.tracking_ranges[0]) == (STANDARD, S10)
    assert profile.time_zone == "Europe/Lisbon"


def test_nobody_is_named_in_the_audit(store: Store) -> None:
    register(store, FLOOR)
    assert not any("Ana" in row.detail or "ana" in row.detail for row in rows_of(store, schema.audit))


def test_bins_that_make_no_sense_are_named(store: Store) -> None:
    bins = (
        BinDraft("A-1", 1, kind="cupboard", temperature_class="warm", velocity_class="D"),
        BinDraft("A-2", 2, refill_below=5),
        BinDraft("A-3", 3, fixed_sku_id="TEA", refill_below=5, refill_to=4),
    )
    assert faults_of(store, replace(FLOOR, bins=bins)) == [
        "profile.bins[0].kind",
        "profile.bins[0].temperature_class",
        "profile.bins[0].velocity_class",
        "profile.bins[1].refill_below",
        "profile.bins[1].refill_to",
        "profile.bins[2].refill_to",
    ]


def test_people_need_a_way_to_sign_in_that_is_theirs_alone(store: Store) -> None:
    nobody = pb.Associate(associate_id="eva", name="Eva", role="associate")
    twin = pb.Associate(associate_id="rui", name="Rui 2", role="boss", badge=RUI.badge)
    clear = pb.Associate(associate_id="leo", name="Leo", role="associate", pin_hash=b"1234")
    assert faults_of(store, replace(FLOOR, associates=(RUI, nobody, twin, clear))) == [
        "profile.associates[2].associate_id",
        "profile.associates[1]",
        "profile.associates[2].role",
        "profile.associates[2].badge",
        "profile.associates[3].pin_hash",
    ]


def test_a_carton_has_room_and_bears_more_than_itself(store: Store) -> None:
    flat = pb.Carton(carton_id="FLAT", length_mm=200, width_mm=150, weight_g=80, max_weight_g=80)
    assert faults_of(store, replace(FLOOR, cartons=(flat,))) == [
        "profile.cartons[0].height_mm",
        "profile.cartons[0].max_weight_g",
    ]


def test_a_rate_card_goes_from_light_to_heavy_and_a_carrier_collects_on_days_of_the_week(
    store: Store,
) -> None:
    wrong = pb.CarrierService()
    wrong.CopyFrom(STANDARD)
    wrong.cut_off_minute, wrong.currency, wrong.service_class = 1_440, "euro", "soon"
    wrong.collection_days.extend([1, 1, 8])
    wrong.zones[0].countries[:] = ["Portugal"]
    wrong.zones[0].brackets.append(pb.RateBracket(max_weight_g=1_000, price_minor=1))
    where = "profile.carrier_services[0]"
    assert faults_of(store, replace(FLOOR, carrier_services=(wrong,))) == [
        f"{where}.service_class",
        f"{where}.cut_off_minute",
        f"{where}.collection_days[1]",
        f"{where}.collection_days[2]",
        f"{where}.currency",
        f"{where}.zones[0].countries[0]",
        f"{where}.zones[0].brackets[1].max_weight_g",
    ]


def test_two_nodes_never_share_a_tracking_number_nor_do_two_ranges_of_one(store: Store) -> None:
    register(store, FLOOR)
    porto = node_draft("porto-01", PORTO, number=1)
    theirs = replace(porto, carrier_services=(STANDARD,), tracking_ranges=(S10,))
    assert faults_of(store, theirs) == ["profile.tracking_ranges[0]"]
    mine = pb.TrackingRange()
    mine.CopyFrom(S10)
    mine.first_number, mine.last_number = 1_000, 1_999
    assert faults_of(store, replace(theirs, tracking_ranges=(mine, mine))) == ["profile.tracking_ranges[1]"]
    register(store, replace(theirs, tracking_ranges=(mine,)))
    register(store, FLOOR)


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"prefix": "R1"}, "prefix"),
        ({"suffix": ""}, "suffix"),
        ({"digits": 9}, "digits"),
        ({"last_number": 10**8}, "last_number"),
        ({"scheme": "imei"}, "scheme"),
        ({"carrier": "southpost"}, "carrier"),
        ({"scheme": "mod10", "suffix": ""}, "prefix"),
    ],
)
def test_a_range_of_tracking_numbers_keeps_to_its_scheme(
    store: Store, about: dict[str, object], field: str
) -> None:
    wrong = pb.TrackingRange()
    wrong.CopyFrom(S10)
    for name, value in about.items():
        setattr(wrong, name, value)
    found = faults_of(store, replace(FLOOR, tracking_ranges=(wrong,)))
    assert f"profile.tracking_ranges[0].{field}" in found


def test_a_time_zone_that_nobody_knows_is_a_fault(store: Store) -> None:
    for name in ("Europe/Atlantis", "../etc/passwd"):
        assert faults_of(store, replace(FLOOR, time_zone=name)) == ["profile.time_zone"]


def test_a_profile_that_no_envelope_could_bring_is_refused_and_not_sent(store: Store) -> None:
    many = tuple(BinDraft(f"AISLE-{number:05}-SHELF", number, "pick_face") for number in range(12_000))
    assert faults_of(store, replace(FLOOR, bins=many)) == ["profile"]
    assert rows_of(store, schema.down_log) == []


def test_what_routing_looks_at_is_checked_with_the_rest_and_kept_for_it(store: Store) -> None:
    wrong = replace(
        FLOOR,
        kind="dark store",
        country="pt",
        capacity_orders=NODE_CAPACITY_ORDERS_MAX + 1,
        labels={"": "x", "region": "<b>", **{f"n-{number}": "" for number in range(NODE_LABELS_MAX)}},
    )
    assert faults_of(store, wrong) == [
        "profile.kind",
        "profile.country",
        "profile.capacity_orders",
        "profile.labels",
        "profile.labels.",
        "profile.labels.region",
    ]
    right = {"kind": "dark_store", "country": "PT", "capacity_orders": NODE_CAPACITY_ORDERS_MAX}
    register(store, replace(FLOOR, **right, labels={"region": "south"}))
    (row,) = rows_of(store, schema.node)
    assert {name: getattr(row, name) for name in right} == right
    assert (row.labels, row.time_zone) == ('{"region": "south"}', "Europe/Lisbon")

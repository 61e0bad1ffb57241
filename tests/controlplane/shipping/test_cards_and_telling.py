"""The network's card: what is refused, which one is in force, and how nodes come to have it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from bodega.errors import InvalidInput, NotFound
from bodega.v1 import catalogue_pb2 as pb
from bodega.v1 import journal_pb2
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.shipping import cards, carriers, telling
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, PORTO, node_draft, rows_of, settle
from support.rate_cards import MONDAY_MORNING_MS, card, service, zone

NODES = ("lisbon-01", "porto-01")
NOW = replace(OPERATOR, now_ms=MONDAY_MORNING_MS)
DAY_MS = 24 * 3600 * 1000


def take(store: Store, what: pb.RateCard, now_ms: int = NOW.now_ms) -> tuple[int, bool]:
    caller = replace(NOW, now_ms=now_ms)
    (view, changed, _nodes), _woken = store.write(lambda tx: cards.import_card(tx, caller, what))
    return view.version, changed


def tell_all(store: Store, now_ms: int = NOW.now_ms) -> list[bool]:
    late = store.read(lambda tx: telling.behind(tx, now_ms))
    caller = replace(NOW, now_ms=now_ms)
    return [store.write(lambda tx, n=node_id: telling.tell(tx, caller, n))[0] for node_id in late]


def profiles_sent(store: Store, node_id: str) -> list[pb.NodeProfile]:
    """Every profile in a node's stream, as it was sent."""
    rows = [row for row in rows_of(store, schema.down_log) if row.node_id == node_id]
    events = [journal_pb2.HubEvent.FromString(row.body) for row in rows]
    return [event.node_profile for event in events if event.HasField("node_profile")]


def test_a_node_is_given_its_services_in_its_profile_and_told_once(store: Store) -> None:
    settle(store, "TEA", node_ids=NODES)
    assert take(store, card()) == (1, True)
    assert tell_all(store) == [True, True]
    *_, newest = profiles_sent(store, "lisbon-01")
    assert [one.service for one in newest.carrier_services] == ["EXPRESS", "ECO", "PARCEL"]
    assert not any(one.origins or any(z.origins for z in one.zones) for one in newest.carrier_services)
    assert newest.version == 2
    assert [one.service for one in profiles_sent(store, "porto-01")[-1].carrier_services] == [
        "EXPRESS",
        "PARCEL",
    ]
    assert tell_all(store) == [], "there is nothing new"


def test_the_same_card_again_is_no_new_one_and_one_that_changes_nothing_sends_nothing(store: Store) -> None:
    settle(store, "TEA", node_ids=NODES)
    take(store, card())
    tell_all(store)
    assert take(store, card()) == (1, False)
    assert take(store, card("other-name")) == (2, True)
    assert tell_all(store) == [False, False]
    assert len(profiles_sent(store, "porto-01")) == 2


def test_a_nodes_own_service_stands_before_one_of_the_same_name(store: Store) -> None:
    settle(store, "TEA")
    own = service("localpost", "ECO", "same_day", zone("here", 300))
    draft = replace(node_draft("porto-01", PORTO, number=1), carrier_services=(own,))
    take(store, card())
    store.write(lambda tx: nodes.register_node(tx, NOW, draft))
    *_, newest = profiles_sent(store, "porto-01")
    assert [(one.service, one.carrier) for one in newest.carrier_services] == [
        ("ECO", "localpost"),
        ("EXPRESS", "northpost"),
        ("PARCEL", "northpost"),
    ]
    take(store, card(services=[service("northpost", "PARCEL", "standard", zone("PT", 700))]))
    tell_all(store)
    assert [one.service for one in profiles_sent(store, "porto-01")[-1].carrier_services] == ["ECO", "PARCEL"]


def test_a_carrier_that_is_down_stays_in_the_profile_and_is_marked(store: Store) -> None:
    settle(store, "TEA", node_ids=NODES)
    take(store, card())
    tell_all(store)
    store.write(lambda tx: carriers.set_carrier(tx, NOW, "southpost", down=True, reason="strike"))
    assert tell_all(store) == [True, False], "it never collected in Porto"
    *_, newest = profiles_sent(store, "lisbon-01")
    assert [one.service for one in newest.carrier_services if one.suspended] == ["ECO"]
    store.write(lambda tx: carriers.set_carrier(tx, NOW, "southpost", down=False))
    tell_all(store)
    assert not any(one.suspended for one in profiles_sent(store, "lisbon-01")[-1].carrier_services)
    actions = [(row.action, row.actor) for row in rows_of(store, schema.audit) if row.subject == "southpost"]
    assert actions == [("carrier.down", "operator"), ("carrier.up", "operator")]


def test_a_card_waits_for_its_day_and_a_later_day_beats_a_later_import(store: Store) -> None:
    settle(store, "TEA", node_ids=NODES)
    take(store, card("now"))
    take(store, card("tomorrow", valid_from="2026-11-24"))
    take(store, card("corrected"), now_ms=NOW.now_ms + 1000)

    def in_force(at_ms: int) -> str:
        return store.read(lambda tx: cards.get_card(tx, at_ms))[0].name

    assert in_force(NOW.now_ms + 2000) == "corrected"
    assert in_force(NOW.now_ms + DAY_MS) == "tomorrow"
    assert [one.in_force for one in store.read(lambda tx: cards.list_cards(tx, NOW.now_ms + DAY_MS, 0))] == [
        False,
        True,
        False,
    ]


def test_without_a_card_there_is_none_to_show(store: Store) -> None:
    with pytest.raises(NotFound):
        store.read(lambda tx: cards.get_card(tx, NOW.now_ms))


def test_every_fault_of_a_card_is_named_at_once_and_nothing_is_kept(store: Store) -> None:
    settle(store, "TEA")
    wrong = card(
        name="",
        valid_from="24.12.2026",
        origins=[pb.RateOrigin(origin="south", node_ids=["lisbon-01", "nowhere"])],
        services=[
            service("a b", "ONE", "soon", zone("PT", 900, countries=["Portugal"]), currency="euro"),
            service(
                "b",
                "ONE",
                "standard",
                zone("PT", 900, origins=["north"], transit_days=99),
                holidays=["Christmas"],
                collection_days=[8],
                surcharges=[pb.RateSurcharge(surcharge="nothing")],
            ),
            service("c", "EMPTY", "standard"),
        ],
    )
    with pytest.raises(InvalidInput) as refusal:
        take(store, wrong)
    assert [fault.where for fault in refusal.value.faults] == [
        "card.name",
        "card.valid_from",
        "card.origins[0].node_ids[1]",
        "card.services[1].service",
        "card.services[0].carrier",
        "card.services[0].service_class",
        "card.services[0].currency",
        "card.services[0].zones[0].countries[0]",
        "card.services[1].collection_days[0]",
        "card.services[1].surcharges[0]",
        "card.services[1].holidays[0]",
        "card.services[1].zones[0].transit_days",
        "card.services[2].zones",
        "card.services[1].currency",
        "card.services[1].zones[0].origins[0]",
        "card.services[2].currency",
    ]
    assert rows_of(store, schema.RATE_TABLES[0]) == []


def test_a_card_that_no_node_could_take_is_refused(store: Store) -> None:
    settle(store, "TEA")
    many = [service("north", f"S{number}", "standard", zone("PT", 500)) for number in range(51)]
    with pytest.raises(InvalidInput) as refusal:
        take(store, card(services=many))
    assert "gives node lisbon-01 51 services" in refusal.value.faults[0].problem
    large = [
        service("north", f"S{number}", "standard", zone("PT", 500, postal_prefixes=["x" * 500] * 60))
        for number in range(10)
    ]
    with pytest.raises(InvalidInput) as refusal:
        take(store, card(services=large))
    assert "makes the profile of node lisbon-01" in refusal.value.faults[0].problem


def test_a_carrier_that_nobody_has_heard_of_and_no_reason_are_refused(store: Store) -> None:
    with pytest.raises(InvalidInput) as refusal:
        store.write(lambda tx: carriers.set_carrier(tx, NOW, "eastpost", down=True))
    assert [fault.where for fault in refusal.value.faults] == ["carrier", "reason"]


def test_a_node_that_was_there_before_cards_were_is_given_one_too(store: Store) -> None:
    settle(store, "TEA")
    store.write(lambda tx: tx.connection.execute(sa.delete(schema.RATE_TABLES[3])))
    assert tell_all(store) == [False], "nothing new for the node, but its offers are known now"
    assert tell_all(store) == []

"""Routing bundles in the centre: a bad one is refused, a good one is told to all, and the one before comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bodega.core.routing.bundle import DEFAULT, Bundle, parse
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.limits_hub import ROUTING_BUNDLE_BYTES_MAX
from bodega.routing_wire import activation_text, document_of
from bodega.v1 import journal_pb2, routing_pb2
from bodega_controlplane.app import audit
from bodega_controlplane.app.fleet import nodes, outbox
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.routing import activating, bundles
from bodega_controlplane.app.routing.views import ActivationView
from bodega_controlplane.keys import HubKey, load_hub_key
from bodega_controlplane.services.routing_watch import RoutingWatch
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, POLICY, NodeByHand, deliver, node_draft, open_test_store, settle
from support.routing import document, nearest, steps

NODES = ("lisbon-01", "porto-01")


@pytest.fixture
def key(tmp_path: Path) -> HubKey:
    return load_hub_key(tmp_path)


def activate(store: Store, key: HubKey, bundle: Bundle) -> ActivationView:
    return store.write(lambda tx: activating.activate(tx, OPERATOR, bundle, "a trial", key.sign))[0]


def rollback(store: Store, key: HubKey) -> ActivationView:
    return store.write(lambda tx: activating.rollback(tx, OPERATOR, "it was worse", key.sign))[0]


def told(store: Store, node_id: str = "lisbon-01") -> list[routing_pb2.RoutingBundle]:
    envelope = store.read(lambda tx: outbox.envelope_from(tx, node_id, 1, 1))
    assert envelope is not None
    events = map(journal_pb2.HubEvent.FromString, envelope.events)
    return [event.routing_bundle for event in events if event.WhichOneof("fact") == "routing_bundle"]


def test_a_bundle_in_force_is_told_to_every_node_and_signed_for_its_activation(
    store: Store, key: HubKey
) -> None:
    settle(store, "TEA", node_ids=NODES)
    made = activate(store, key, nearest(2))
    assert (made.activation, made.rule, made.rollback) == (1, "nearest@2", False)
    verify = Ed25519PublicKey.from_public_bytes(key.verify_key).verify
    for node_id in NODES:
        (message,) = told(store, node_id)
        verify(message.signature, activation_text(1, message.digest))
        assert parse(document_of(message, lambda *_: True)).rule == "nearest@2"
    kept = store.read(lambda tx: bundles.row_of(tx, "nearest@2"))
    verify(kept.signature, kept.document)
    line = store.read(lambda tx: audit.list_audit(tx, subject="nearest@2"))[0]
    assert line.action == "routing.activated"
    assert json.loads(line.detail) == {
        "activation": 1,
        "digest": made.digest,
        "before": DEFAULT.digest,
        "nodes": 2,
    }


def test_a_rollback_goes_back_step_by_step_to_the_default_and_no_further(store: Store, key: HubKey) -> None:
    settle(store, "TEA")
    for version in (2, 3):
        activate(store, key, nearest(version))
    with pytest.raises(Refused) as refused:
        activate(store, key, nearest(3))
    assert refused.value.code == "in-force-already"
    assert [rollback(store, key).rule for _ in range(2)] == ["nearest@2", DEFAULT.rule]
    with pytest.raises(Refused) as refused:
        rollback(store, key)
    assert refused.value.code == "nothing-before"
    told_so = [parse(document_of(message, lambda *_: True)).rule for message in told(store)]
    assert told_so == ["nearest@2", "nearest@3", "nearest@2", DEFAULT.rule]
    assert activate(store, key, nearest(3)).activation == 5
    assert rollback(store, key).rule == DEFAULT.rule


def test_a_name_and_version_mean_one_document_for_ever(store: Store, key: HubKey) -> None:
    settle(store, "TEA")
    activate(store, key, nearest(2))
    with pytest.raises(Refused) as refused:
        activate(store, key, parse(document("nearest", 2, notes="another text")))
    assert refused.value.code == "version-taken"
    assert len(told(store)) == 1
    with pytest.raises(InvalidInput, match="1 fault"):
        store.write(lambda tx: activating.activate(tx, OPERATOR, nearest(3), " ", key.sign))


def test_every_fault_of_a_bundle_is_named_and_what_is_kept_is_found(store: Store, key: HubKey) -> None:
    with pytest.raises(InvalidInput) as invalid:
        bundles.read_checked(
            json.dumps({"name": "", "version": "two", "stages": [{"when": "order."}], "colour": 1}).encode(),
            steps(),
        )
    assert len(invalid.value.faults) > 1
    with pytest.raises(InvalidInput):
        bundles.read_checked(b" " * (ROUTING_BUNDLE_BYTES_MAX + 1), steps())
    with pytest.raises(NotFound):
        store.read(lambda tx: bundles.find(tx, "ghost@1"))
    assert store.read(lambda tx: bundles.find(tx, DEFAULT.rule)) == DEFAULT


def test_a_node_that_is_new_is_told_what_is_in_force_and_says_what_it_decides_by(
    store: Store, key: HubKey
) -> None:
    settle(store, "TEA")
    activate(store, key, nearest(2))
    store.write(lambda tx: nodes.register_node(tx, OPERATOR, node_draft("porto-01", number=7)))
    (message,) = told(store, "porto-01")
    assert message.activation == 1
    porto = NodeByHand("porto-01")
    reported = routing_pb2.RoutingReported(activation=1, digest=message.digest, faults=["one\nfault", "two"])
    porto.record(routing_reported=reported)
    deliver(store, porto.delivery())
    lisbon, porto_now = store.read(activating.at_nodes)
    assert (lisbon.activation, lisbon.digest, lisbon.faults) == (0, "", ())
    assert (porto_now.activation, porto_now.digest) == (1, message.digest.hex())
    assert porto_now.faults == ("one fault", "two")


def test_a_hub_that_was_restored_numbers_on_from_what_its_nodes_have_heard(store: Store, key: HubKey) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.record(routing_reported=routing_pb2.RoutingReported(activation=41, digest=b"x" * 32))
    deliver(store, node.delivery())
    assert activate(store, key, nearest(2)).activation == 42


async def test_an_instance_takes_what_another_one_activated_and_stays_with_the_last_good_one(
    sqlite_store: Store, key: HubKey, tmp_path: Path
) -> None:
    settle(sqlite_store, "TEA")
    hub = Hub(open_test_store("sqlite", tmp_path), key, POLICY)
    watch = RoutingWatch(hub)
    try:
        await watch.begin()
        assert hub.policy.bundle == DEFAULT
        activate(sqlite_store, key, nearest(2))
        await watch.look()
        assert (hub.policy.bundle.rule, hub.policy.activation) == ("nearest@2", 1)
        assert hub.policy.safety_stock == POLICY.safety_stock

        from_a_newer_version = b'{"name": "nearest", "version": 3, "stages": "otherwise"}'
        spoil(sqlite_store, key, from_a_newer_version)
        await watch.look()
        assert (hub.policy.bundle.rule, hub.policy.activation) == ("nearest@2", 1)
    finally:
        hub.close()


def spoil(store: Store, key: HubKey, text: bytes) -> None:
    """Put a bundle in force whose document this version can not read."""
    activate(store, key, nearest(3))
    store.write(
        lambda tx: tx.connection.exec_driver_sql(
            "UPDATE routing_bundle SET document = ? WHERE rule = 'nearest@3'", (text,)
        )
    )

"""The hub's own manners: idempotency keys, heartbeats, secrets, configuration."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bodega.core.sync import Head
from bodega.errors import (
    ConfigInvalid,
    IdempotencyMismatch,
    InFlight,
    IntegrityBroken,
    InvalidInput,
    PermissionRefused,
)
from bodega_controlplane.app.fleet import heartbeat, nodes, outbox
from bodega_controlplane.app.fleet.heartbeat import Heartbeat
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.idempotency import StoredResponse, digest_of
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.config import ControlPlaneConfig, load_config
from bodega_controlplane.keys import load_hub_key, load_tokens
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import SHOP, NodeByHand, deliver, make_hub, rows_of, settle

DIGEST = digest_of("POST", "/v1/orders", b"{}")


@pytest.fixture
async def hub(database: str, tmp_path: Path) -> AsyncIterator[Hub]:
    made = make_hub(database, tmp_path)
    yield made
    made.close()


class Counting:
    """A use case that counts how often it has really run: one row each time."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, tx: Transaction) -> StoredResponse:
        self.runs += 1
        tx.audit(at_ms=1, actor="a", action="counted", subject="s")
        return StoredResponse(201, f"run {self.runs}".encode())


async def test_a_repeated_key_gets_the_stored_response_byte_for_byte(hub: Hub) -> None:
    work = Counting()
    first = await hub.run_once(SHOP, "key-1", DIGEST, work)
    again = await hub.run_once(SHOP, "key-1", DIGEST, work)
    assert first == StoredResponse(201, b"run 1")
    assert again == StoredResponse(201, b"run 1", replayed=True)
    assert work.runs == 1


async def test_a_key_with_another_body_is_a_mismatch_and_another_channels_key_is_another_key(
    hub: Hub,
) -> None:
    work = Counting()
    await hub.run_once(SHOP, "key-1", DIGEST, work)
    with pytest.raises(IdempotencyMismatch):
        await hub.run_once(SHOP, "key-1", digest_of("POST", "/v1/orders", b"{} "), work)
    other = await hub.run_once(replace(SHOP, channel="marketplace"), "key-1", DIGEST, work)
    assert other.body == b"run 2"


async def test_of_many_at_once_with_one_key_one_runs_and_the_others_are_told_to_wait(hub: Hub) -> None:
    work = Counting()
    asked = [hub.run_once(SHOP, "key-1", DIGEST, work) for _ in range(20)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert work.runs == 1
    assert sum(isinstance(outcome, InFlight) for outcome in outcomes) == 19


async def test_two_instances_of_the_hub_on_one_database_run_a_key_once(
    postgres_url: str, tmp_path: Path
) -> None:
    hubs = [make_hub(postgres_url, tmp_path) for _ in range(2)]
    work = Counting()
    asked = [hubs[number % 2].run_once(SHOP, f"key-{number // 2}", DIGEST, work) for number in range(40)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert work.runs == 20
    for outcome in outcomes:
        assert isinstance(outcome, InFlight | StoredResponse)
    for hub in hubs:
        hub.close()


async def test_of_two_instances_that_work_in_steps_at_once_both_give_the_first_answer(
    database: str, tmp_path: Path
) -> None:
    slow, quick = make_hub(database, tmp_path), make_hub(database, tmp_path)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slowly() -> StoredResponse:
        begun.set()
        await may_end.wait()
        return StoredResponse(200, b"slow")

    async def quickly() -> StoredResponse:
        return StoredResponse(200, b"quick")

    waiting = asyncio.create_task(slow.run_steps_once(SHOP, "k1", DIGEST, slowly))
    await begun.wait()
    first = await quick.run_steps_once(SHOP, "k1", DIGEST, quickly)
    may_end.set()
    second = await waiting
    slow.close()
    quick.close()
    assert (first.body, first.replayed) == (b"quick", False)
    assert (second.body, second.replayed) == (b"quick", True)


async def test_what_was_refused_may_be_tried_again_with_its_key(hub: Hub) -> None:
    def refuse(tx: Transaction) -> StoredResponse:
        tx.audit(at_ms=1, actor="a", action="never", subject="s")
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        await hub.run_once(SHOP, "key-1", DIGEST, refuse)
    assert (await hub.run_once(SHOP, "key-1", DIGEST, Counting())).body == b"run 1"


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_is_1_to_255_characters(hub: Hub, key: str) -> None:
    with pytest.raises(InvalidInput):
        await hub.run_once(SHOP, key, DIGEST, Counting())
    await hub.run_once(SHOP, "k" * 255, DIGEST, Counting())


async def test_a_listener_is_told_after_the_commit_and_not_after_a_rollback(hub: Hub) -> None:
    woken: list[frozenset[str]] = []
    hub.on_commit(woken.append)

    def wake(tx: Transaction) -> None:
        tx.wake("lisbon-01")

    def fail(tx: Transaction) -> None:
        tx.wake("porto-01")
        raise ValueError("stop")

    await hub.run(wake)
    with pytest.raises(ValueError, match="stop"):
        await hub.run(fail)
    assert woken == [frozenset({"lisbon-01"})]


HEALTH = HealthView(
    "1.2", 3, 4, 5, ("scanner-1",), "CPUExecutionProvider", 1, ledger_ok=True, disk_rung="dropping"
)


def beat(store: Store, **said: object) -> heartbeat.Answer:
    sent = replace(Heartbeat("lisbon-01", 1, "nonce", 9, Head(), HEALTH), **said)
    return store.write(lambda tx: heartbeat.beat(tx, 777, sent))[0]


def test_a_heartbeat_is_written_down_and_answered_with_both_heads(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 1)
    deliver(store, node.delivery())
    down = store.read(outbox.heads)["lisbon-01"]
    answer = beat(store, down=down)
    assert (answer.up, answer.down_seq, answer.fenced) == (node.head(), 2, "")
    (view,) = store.read(nodes.list_nodes)
    assert (view.head_seq, view.applied_seq, view.down_applied_seq, view.last_contact_ms) == (9, 2, 2, 777)
    assert view.health == HEALTH


def test_a_node_whose_story_does_not_fit_ours_is_fenced_with_the_reason(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 1)
    deliver(store, node.delivery())
    assert "not registered" in beat(store, node_id="ghost").fenced
    assert "epoch 2" in beat(store, epoch=2).fenced
    assert "ends at 1, we have 2" in beat(store, head_seq=1).fenced
    assert rows_of(store, schema.node)[0].last_contact_ms == 0


def test_secrets_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    tokens, key = load_tokens(tmp_path), load_hub_key(tmp_path)
    assert tokens == load_tokens(tmp_path)
    assert key.verify_key == load_hub_key(tmp_path).verify_key
    Ed25519PublicKey.from_public_bytes(key.verify_key).verify(key.sign(b"text"), b"text")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["hub.key", "operator.token", "storefront.token"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_token_is_known_by_its_role_and_never_shown(tmp_path: Path) -> None:
    tokens = load_tokens(tmp_path)
    assert tokens.role_of(tokens.storefront) == "storefront"
    assert tokens.role_of(tokens.operator) == "operator"
    assert [tokens.role_of(wrong) for wrong in ("", "é", tokens.operator[:-1])] == [None] * 3
    assert tokens.operator not in repr(tokens)


@pytest.mark.parametrize("name", ["hub.key", "operator.token"])
def test_a_secret_that_others_can_read_is_not_used(tmp_path: Path, name: str) -> None:
    load_tokens(tmp_path)
    load_hub_key(tmp_path)
    (tmp_path / name).chmod(0o640)
    with pytest.raises(PermissionRefused, match=name):
        (load_tokens(tmp_path), load_hub_key(tmp_path))


def test_a_broken_secret_is_said_to_be_broken(tmp_path: Path) -> None:
    for name, load in (("hub.key", load_hub_key), ("operator.token", load_tokens)):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o600)
        with pytest.raises(IntegrityBroken):
            load(tmp_path)


def configured(tmp_path: Path, text: str) -> ControlPlaneConfig:
    path = tmp_path / "controlplane.toml"
    path.write_text(text)
    return load_config(path)


def test_a_small_configuration_is_enough(tmp_path: Path) -> None:
    config = configured(tmp_path, 'data_dir = "/d"\n[nats]\nurl = "nats://127.0.0.1:4222"\n')
    assert (config.database, config.http.port, config.grpc.port) == ("sqlite", 8080, 7443)
    assert config.promise.safety_stock == 2


def test_every_fault_of_a_configuration_is_named_with_its_line(tmp_path: Path) -> None:
    text = """\
data_dir = 5
database = "oracle"
colour = "blue"
[nats]
url = "nats://broker.example:4222"
[http]
host = "0.0.0.0"
[grpc]
port = 70000
[promise]
safety_stock = -1
"""
    with pytest.raises(ConfigInvalid) as invalid:
        configured(tmp_path, text)
    found = {(fault.where, fault.line) for fault in invalid.value.faults}
    assert {("data_dir", 1), ("database", 2), ("colour", 3), ("nats.url", 5)} <= found
    assert {("grpc.port", 9), ("promise.safety_stock", 11)} <= found
    assert any(where.startswith("http") for where, _ in found)


def test_a_heartbeat_that_the_nodes_own_events_have_overtaken_is_old_news_and_no_loss(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 5)
    assert not beat(store, head_seq=1, boot_nonce="this start").fenced
    deliver(store, node.delivery())
    assert not beat(store, head_seq=1, boot_nonce="this start").fenced
    assert "ends at 1, we have 2" in beat(store, head_seq=1, boot_nonce="another start").fenced

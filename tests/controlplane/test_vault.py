"""Secrets in the database are sealed: a database or a backup of it, without the hub's key, tells none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import IntegrityBroken
from bodega.v1 import channels_pb2, channels_pb2_grpc
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.rules.telling import key_of
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from bodega_controlplane.vault import Vault, is_sealed
from support.controlplane import POLICY, SHOP, make_hub, rows_of, settle
from support.faces import OPERATOR, grpc_channel, http_client
from support.webhook_world import HERE

VAULT = Vault(b"k" * 32)
URL = "http://127.0.0.1:9/hooks"


def everything_in(store: Store) -> str:
    """Every row of every table."""
    return repr([rows_of(store, table) for table in schema.metadata.sorted_tables])


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_is_sealed_is_opened_again_of_the_same_thing_only(plain: bytes, of: str) -> None:
    sealed = VAULT.seal(plain, of)
    assert is_sealed(sealed)
    assert VAULT.open(sealed, of) == plain
    assert VAULT.seal(plain, of) != sealed, "a nonce of its own each time"
    for vault, other in ((VAULT, of + "x"), (Vault(b"K" * 32), of)):
        with pytest.raises(IntegrityBroken):
            vault.open(sealed, other)


@pytest.mark.parametrize(
    "spoilt",
    ["", "whsec_AAAA", "\u00e9", "AAAA", VAULT.seal_text("a", "W")[:-4] + "AAA="],
    ids=["nothing", "in the clear", "not ASCII", "too short", "changed"],
)
def test_what_is_no_sealed_secret_is_refused_and_never_taken_for_one(spoilt: str) -> None:
    with pytest.raises(IntegrityBroken, match="a secret of W can not be opened"):
        VAULT.open_text(spoilt, "W")


async def test_no_secret_lies_in_the_database_however_it_was_given(database: str, tmp_path: Path) -> None:
    hub = make_hub(database, tmp_path)
    hub.reach = HERE
    settle(hub._store, "TEA")
    async with http_client(hub) as shop, grpc_channel(hub) as channel:
        made = (await shop.post("/v1/webhooks", json={"url": URL})).json()
        fresh = (await shop.post(f"/v1/webhooks/{made['webhook_id']}/secret", json={})).json()
        own = "whsec_" + "B" * 43 + "="
        keyed = {"Idempotency-Key": "the-same"}
        given = await shop.post("/v1/webhooks", json={"url": URL, "secret": own}, headers=keyed)
        request = channels_pb2.CreateChannelRequest(channel_id="bazaar", kind="marketplace", buffer_units=1)
        made_channel = channels_pb2_grpc.ChannelServiceStub(channel).CreateChannel(request, metadata=OPERATOR)
        token = (await made_channel).token
        again = await shop.post("/v1/webhooks", json={"url": URL, "secret": own}, headers=keyed)
    assert again.content == given.content, "a repeat shows it again"
    assert given.json()["secret"] == own
    told = everything_in(hub._store)
    for secret in (made["secret"], fresh["secret"], own, token):
        raw = key_of(secret) or secret.encode()
        assert secret not in told
        assert repr(raw)[2:-1] not in told
    hub.close()


def test_instances_that_share_the_hubs_key_open_what_the_other_has_sealed(tmp_path: Path) -> None:
    for folder in ("other", "stranger"):
        (tmp_path / folder).mkdir()
    key = load_hub_key(tmp_path)
    (tmp_path / "other" / "hub.key").touch(0o600)
    (tmp_path / "other" / "hub.key").write_bytes((tmp_path / "hub.key").read_bytes())
    sealed = key.vault.seal_text("whsec_x", "W")
    assert load_hub_key(tmp_path / "other").vault.open_text(sealed, "W") == "whsec_x"
    with pytest.raises(IntegrityBroken):
        load_hub_key(tmp_path / "stranger").vault.open_text(sealed, "W")


async def test_an_answer_that_an_older_version_has_stored_in_the_clear_is_still_repeated(
    store: Store, tmp_path: Path
) -> None:
    hub = Hub(store, load_hub_key(tmp_path), POLICY)
    digest = b"d" * 32
    row = {"channel": SHOP.channel, "key": "old", "digest": digest, "status": 201, "response": b'{"a":1}'}
    store.write(lambda tx: tx.insert_many(schema.idempotency, [{**row, "headers": "{}", "at_ms": 1}]))

    def again(_tx: object) -> StoredResponse:
        raise AssertionError("it was done already")

    assert (await hub.run_once(SHOP, "old", digest, again)).body == b'{"a":1}'

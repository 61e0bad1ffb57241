"""Endpoints of webhooks as their owners make them: checked, bounded, each channel's own, secrets shown once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bodega.errors import InvalidInput, NotFound, Refused
from bodega.limits_events import WEBHOOKS_PER_CHANNEL_MAX
from bodega_controlplane.app.telling import webhooks
from bodega_controlplane.app.telling.views import WebhookDraft
from bodega_controlplane.rules.reach import Reach
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import rows_of
from support.webhook_world import HERE, World


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://shop.example/hooks", "https://"),
        ("ftp://shop.example/", "https://"),
        ("https://", "must be a URL"),
        ("https://me:secret@shop.example/", "user or a password"),
        ("https://shop.example/#there", "fragment"),
        ("https://shop.example:99999/", "must be a URL"),
        ("https://sho\tp.example/", "must be a URL"),
        ("https://ex_ample\\@evil/", "must be a URL"),
        ("https://10.0.0.1/", "public internet"),
        ("https://[::1]/", "public internet"),
        ("https://169.254.169.254/latest/meta-data", "public internet"),
        ("https://shop.example/" + "x" * 2_000, "at most 2000 characters"),
    ],
)
def test_a_url_that_can_not_be_called_is_refused_when_it_is_given(
    sqlite_store: Store, tmp_path: Path, url: str, problem: str
) -> None:
    world = World(sqlite_store, tmp_path)
    draft = WebhookDraft(url)
    with pytest.raises(InvalidInput) as refused:
        world.store.write(lambda tx: webhooks.create(tx, world.caller, draft, Reach(), world.vault))
    (fault,) = refused.value.faults
    assert (fault.where, problem in fault.problem) == ("url", True)


def test_every_fault_of_an_endpoint_is_named(sqlite_store: Store, tmp_path: Path) -> None:
    world = World(sqlite_store, tmp_path)
    draft = WebhookDraft("gopher://x", ("order.eaten",), "<b>")
    with pytest.raises(InvalidInput) as refused:
        world.store.write(
            lambda tx: webhooks.create(tx, world.caller, draft, HERE, world.vault, secret="whsec_short")
        )
    assert [fault.where for fault in refused.value.faults] == ["url", "types[0]", "description", "secret"]
    assert rows_of(sqlite_store, schema.webhook) == []


def test_a_channel_has_its_own_endpoints_and_only_so_many(sqlite_store: Store, tmp_path: Path) -> None:
    world = World(sqlite_store, tmp_path)
    for _ in range(WEBHOOKS_PER_CHANNEL_MAX):
        made = world.add("https://shop.example/hooks")
    with pytest.raises(Refused, match="webhooks already"):
        world.add("https://shop.example/hooks")
    market = replace(world.caller, channel="market")
    assert sqlite_store.read(lambda tx: webhooks.list_all(tx, "market")) == ()
    for change in (
        lambda tx: webhooks.get(tx, made.webhook_id, "market"),
        lambda tx: webhooks.turn(tx, market, made.webhook_id, on=False),
        lambda tx: webhooks.rotate(tx, market, made.webhook_id, world.vault),
        lambda tx: webhooks.delete(tx, market, made.webhook_id),
        lambda tx: webhooks.replay(tx, market, made.webhook_id, ""),
    ):
        with pytest.raises(NotFound):
            sqlite_store.write(change)


def test_no_secret_is_shown_again_or_written_into_the_audit_trail(store: Store, tmp_path: Path) -> None:
    world = World(store, tmp_path)
    made = world.add("https://shop.example/hooks")
    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    fresh = store.write(lambda tx: webhooks.rotate(tx, world.caller, made.webhook_id, world.vault))[0]
    for secret in (made.secret, fresh.secret):
        assert world.now(made.webhook_id).secret == ""
        assert not any(secret in repr(row) for row in rows_of(store, schema.audit))

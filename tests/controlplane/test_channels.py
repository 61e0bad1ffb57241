"""Channels: each with a token that the hub can not tell again, a stock buffer and a rate of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import InvalidInput, NotFound, Refused
from bodega.limits import QUANTITY_MAX
from bodega.limits_hub import (
    CHANNEL_BURST_S,
    CHANNEL_OLD_TOKEN_S_MAX,
    CHANNEL_REQUESTS_PER_S_DEFAULT,
    CHANNEL_TOKENS_MAX,
    CHANNELS_MAX,
)
from bodega_controlplane.app.ordering.orders import place_order
from bodega_controlplane.app.selling import channels
from bodega_controlplane.app.selling.views import ChannelView
from bodega_controlplane.app.views import Caller
from bodega_controlplane.rules.channels import full, take
from bodega_controlplane.store import schema
from bodega_controlplane.store.engine import Store
from support.controlplane import OPERATOR, POLICY, SHOP, NodeByHand, deliver, order_draft, rows_of, settle
from support.moved_order import HUB, PORTO, SKU, later, look_after, move, news, order_now, two_nodes


def create(store: Store, channel_id: str, kind: str = "marketplace", **more: int) -> tuple[ChannelView, str]:
    return store.write(lambda tx: channels.create_channel(tx, OPERATOR, channel_id, kind, **more))[0]


def opened(store: Store, now_ms: int = OPERATOR.now_ms) -> Mapping[bytes, ChannelView]:
    return store.read(lambda tx: channels.by_digest(tx, now_ms))


def rotated(store: Store, now_ms: int, **more: int) -> str:
    caller = replace(OPERATOR, now_ms=now_ms)
    return store.write(lambda tx: channels.rotate_token(tx, caller, "bazaar", **more))[0][1]


def opens(store: Store, token: str, now_ms: int) -> bool:
    return channels.digest_of(token) in opened(store, now_ms)


def test_a_new_token_opens_at_once_and_the_older_ones_for_as_long_as_was_said(store: Store) -> None:
    """Also where the answer with the new token was lost, and another is asked for."""
    _, first = create(store, "bazaar")
    now_ms = OPERATOR.now_ms + 1000
    lost, third = rotated(store, now_ms, old_lasts_s=3600), rotated(store, now_ms, old_lasts_s=7200)
    assert len({first, lost, third}) == 3
    assert all(opens(store, one, now_ms + 3_599_999) for one in (first, lost, third))
    # What was to end by then is not kept longer by a later rotation.
    assert [opens(store, one, now_ms + 3_600_000) for one in (first, lost, third)] == [False, True, True]
    assert [opens(store, one, now_ms + 7_200_000) for one in (first, lost, third)] == [False, False, True]
    leaked, fresh = third, rotated(store, now_ms, old_lasts_s=0)
    assert [opens(store, one, now_ms) for one in (first, lost, leaked, fresh)] == [False, False, False, True]
    assert len(rows_of(store, schema.channel_token)) == 1
    assert not any(one in repr(rows_of(store, schema.audit)) for one in (first, lost, third, fresh))


def test_however_often_it_is_rotated_only_so_many_tokens_open_a_channel(sqlite_store: Store) -> None:
    create(sqlite_store, "bazaar")
    newest = [rotated(sqlite_store, OPERATOR.now_ms) for _ in range(CHANNEL_TOKENS_MAX + 3)][-1]
    assert len(rows_of(sqlite_store, schema.channel_token)) == CHANNEL_TOKENS_MAX
    assert opens(sqlite_store, newest, OPERATOR.now_ms)


def test_a_token_is_made_only_for_a_channel_that_is_open_and_has_its_own(sqlite_store: Store) -> None:
    create(sqlite_store, "bazaar")
    sqlite_store.write(lambda tx: channels.revoke_channel(tx, OPERATOR, "bazaar"))
    for channel_id, lasts_s, kind in (
        ("bazaar", 1, Refused),
        ("storefront", 1, Refused),
        ("nobody", 1, NotFound),
        ("bazaar", CHANNEL_OLD_TOKEN_S_MAX + 1, InvalidInput),
    ):
        with pytest.raises(kind):
            sqlite_store.write(
                lambda tx, channel_id=channel_id, lasts_s=lasts_s: channels.rotate_token(
                    tx, OPERATOR, channel_id, old_lasts_s=lasts_s
                )
            )


def test_a_channel_is_known_by_its_token_of_which_only_a_hash_is_kept(store: Store) -> None:
    view, token = create(store, "bazaar", buffer_units=3)
    assert (view.kind, view.buffer_units, view.requests_per_s) == (
        "marketplace",
        3,
        CHANNEL_REQUESTS_PER_S_DEFAULT,
    )
    known = opened(store)
    assert known[channels.digest_of(token)] == view
    tables = (*schema.CHANNEL_TABLES, schema.audit, schema.idempotency)
    everything = repr([rows_of(store, table) for table in tables])
    assert token not in everything
    assert create(store, "till-1", "pos")[1] != token


def test_the_storefront_is_always_there_and_can_be_given_a_buffer(store: Store) -> None:
    assert [one.channel_id for one in store.read(channels.list_channels)] == ["storefront"]
    store.write(lambda tx: channels.change_channel(tx, OPERATOR, "storefront", buffer_units=4))
    [storefront] = store.read(channels.list_channels)
    assert storefront.buffer_units == 4
    # Its token is a file, and no row may be found by a hash of nothing.
    assert opened(store) == {b"": storefront}
    with pytest.raises(Refused, match=r"file of the hub's own") as caught:
        store.write(lambda tx: channels.revoke_channel(tx, OPERATOR, "storefront"))
    assert caught.value.code == "channel-built-in"


def test_a_channel_that_was_revoked_opens_nothing_and_its_id_is_never_given_again(store: Store) -> None:
    _, token = create(store, "bazaar")
    gone, _ = store.write(lambda tx: channels.revoke_channel(tx, OPERATOR, "bazaar"))
    assert gone.revoked_at_ms == OPERATOR.now_ms
    assert channels.digest_of(token) not in opened(store)
    later = Caller("operator", "operator", OPERATOR.now_ms + 5)
    assert store.write(lambda tx: channels.revoke_channel(tx, later, "bazaar"))[0] == gone
    for work in (
        lambda tx: channels.create_channel(tx, OPERATOR, "bazaar", "pos"),
        lambda tx: channels.change_channel(tx, OPERATOR, "bazaar", buffer_units=1),
    ):
        with pytest.raises(Refused):
            store.write(work)
    assert [row.action for row in rows_of(store, schema.audit)] == ["channel.created", "channel.revoked"]


def test_what_makes_no_sense_is_named_all_at_once(sqlite_store: Store) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(sqlite_store, "a b", "shop", buffer_units=QUANTITY_MAX + 1, requests_per_s=-1)
    assert {fault.where for fault in caught.value.faults} == {
        "channel_id",
        "kind",
        "buffer_units",
        "requests_per_s",
    }
    # These names are somebody else's in the audit trail.
    for name in ("operator", "hub", "node"):
        with pytest.raises(InvalidInput):
            create(sqlite_store, name)
    with pytest.raises(Refused, match="already"):
        create(sqlite_store, "storefront")
    for work in (channels.revoke_channel, channels.change_channel):
        with pytest.raises(NotFound):
            sqlite_store.write(lambda tx, change=work: change(tx, OPERATOR, "nobody"))


def test_there_are_no_more_channels_than_the_bound(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CHANNELS_MAX >= 100
    monkeypatch.setattr(channels, "CHANNELS_MAX", 2)
    create(sqlite_store, "one")
    create(sqlite_store, "two")
    with pytest.raises(Refused, match="2 channels") as caught:
        create(sqlite_store, "three")
    assert caught.value.code == "too-many-channels"


def test_a_channel_is_promised_no_unit_of_its_buffer_at_any_node(store: Store) -> None:
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 10)
    deliver(store, node.delivery())
    view, _ = create(store, "bazaar", buffer_units=5)
    bazaar, policy = Caller("bazaar", "bazaar", OPERATOR.now_ms), channels.policy_for(view, POLICY)
    # 10 on the shelf, 2 safety stock, 5 left to the others.
    with pytest.raises(Refused) as caught:
        store.write(lambda tx: place_order(tx, bazaar, order_draft(("TEA", 4)), policy))
    assert caught.value.code == "insufficient-stock"
    store.write(lambda tx: place_order(tx, bazaar, order_draft(("TEA", 3)), policy))
    with pytest.raises(Refused):
        store.write(lambda tx: place_order(tx, bazaar, order_draft(("TEA", 1)), policy))
    # Those five are there for the others.
    shop = Caller("storefront", "storefront", OPERATOR.now_ms)
    placed, _ = store.write(lambda tx: place_order(tx, shop, order_draft(("TEA", 5)), POLICY))
    assert placed.channel == "storefront"
    detail = json.loads(rows_of(store, schema.audit)[-1].detail)
    assert detail["channel"] == "storefront"


@given(
    per_s=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 2, allow_nan=False), min_size=1, max_size=200),
)
def test_a_channel_never_sends_more_than_its_rate_and_one_burst(per_s: int, pauses: list[float]) -> None:
    now_s = 100.0
    bucket, sent = full(per_s, now_s), 0
    for pause in pauses:
        now_s += pause
        bucket, wait_s = take(bucket, per_s, now_s)
        sent += not wait_s
        if wait_s:
            # Who waits as long as told is let in, to within what a float holds.
            assert take(bucket, per_s, now_s + wait_s + 1e-6)[1] == 0.0
            assert take(bucket, per_s, now_s + wait_s * 0.9)[1] > 0.0
    assert sent <= per_s * CHANNEL_BURST_S + per_s * (now_s - 100.0) + 1


def test_a_clock_that_stands_still_or_jumps_back_fills_no_bucket() -> None:
    bucket, taken = full(5, 10.0), 0
    for now_s in (10.0, 9.0, 10.0, *[8.0] * 40):
        bucket, wait_s = take(bucket, 5, now_s)
        taken += not wait_s
    assert taken == 5 * CHANNEL_BURST_S


def test_what_waits_for_stock_never_takes_the_buffer_of_its_channel_nor_holds_it_against_the_others(
    store: Store,
) -> None:
    """3 units over the safety stock come to each of two nodes, of which the market leaves 2 to the others."""
    lisbon, porto = two_nodes(store, lisbon=0, porto=0)
    create(store, "market", buffer_units=2)
    market = Caller("market", "market", SHOP.now_ms)

    def waits(caller: Caller, units: int) -> str:
        draft = replace(order_draft((SKU, units)), backorder=True)
        return store.write(lambda tx: place_order(tx, caller, draft, POLICY))[0].order_id

    too_much = waits(market, 2)
    enough = waits(later(market, 1), 1)
    of_the_shop = waits(later(SHOP, 2), 3)
    for node in (lisbon, porto):
        node.shelve(SKU, POLICY.safety_stock + 3)
        deliver(store, *news(store, node))
    look_after(store, later(HUB, 10))
    states = {
        order_id: order_now(store, order_id).state.value for order_id in (too_much, enough, of_the_shop)
    }
    assert states == {too_much: "backordered", enough: "confirmed", of_the_shop: "confirmed"}


def test_a_rule_that_moves_an_order_leaves_the_buffer_of_its_channel_and_a_person_may_take_it(
    store: Store,
) -> None:
    two_nodes(store, lisbon=10, porto=5)
    create(store, "market", buffer_units=1)
    market = Caller("market", "market", SHOP.now_ms)
    draft = order_draft((SKU, 3))
    order_id = store.write(lambda tx: place_order(tx, market, draft, POLICY))[0].order_id
    with pytest.raises(Refused) as caught:
        move(store, order_id, by_rule="node_down@1")
    assert caught.value.code == "insufficient-stock"
    assert move(store, order_id, PORTO).node_id == PORTO

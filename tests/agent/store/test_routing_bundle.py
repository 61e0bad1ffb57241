"""A node decides by the routing bundle that the hub has signed, says so, and stays with the last good one."""

from __future__ import annotations

import zlib
from hashlib import sha256
from pathlib import Path

import pytest

from bodega.codec import parse_node_event
from bodega.core.chain import GENESIS, link
from bodega.core.routing.bundle import DEFAULT
from bodega.core.sync import Head
from bodega.errors import PeerFault
from bodega.limits_hub import ROUTING_BUNDLE_BYTES_MAX
from bodega.routing_wire import bundle_message, document_of
from bodega.v1 import journal_pb2, routing_pb2
from bodega_agent.cli.journal_text import one_line
from bodega_agent.store import routing
from bodega_agent.store.store import Store
from support.node_under_test import HubPen, opened_store
from support.routing import document, nearest

SIGNED = b"the hub's"


def message(activation: int, body: bytes, signature: bytes = SIGNED) -> routing_pb2.RoutingBundle:
    return bundle_message(activation, body, signature)


async def reports(store: Store) -> list[routing_pb2.RoutingReported]:
    rows = await store.read(lambda reader: reader.journal())
    return [parse_node_event(row["body"]).routing_reported for row in rows]


async def rule(store: Store) -> str:
    return (await store.write(routing.bundle_in_force)).rule


async def test_a_node_decides_by_the_default_until_the_hub_has_told_it_of_another(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        assert await rule(store) == DEFAULT.rule
        await HubPen(store).write(routing_bundle=message(1, nearest(2).body))
        assert await rule(store) == "nearest@2"
    with opened_store(tmp_path) as store:
        assert await rule(store) == "nearest@2"


async def test_what_is_older_unsigned_or_unreadable_leaves_the_last_good_one_in_force(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = HubPen(store)
        for told in (
            message(5, nearest(2).body),
            message(4, nearest(3).body),
            message(6, nearest(3).body, b"somebody else's"),
            message(7, b'{"name": "nearest", "version": 3, "stages": [], "colour": "red"}'),
            message(8, nearest(4).body),
        ):
            await hub.write(routing_bundle=told)
        told = await reports(store)
        assert [report.activation for report in told] == [5, 5, 5, 8]
        assert [report.digest.hex() for report in told] == [*[nearest(2).digest] * 3, nearest(4).digest]
        assert [bool(report.faults) for report in told] == [False, True, True, False]
        assert "signature" in told[1].faults[0]
        assert any("colour" in fault for fault in told[2].faults)
        assert await rule(store) == "nearest@4"


async def test_a_hub_that_begins_its_stream_anew_may_go_back(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await HubPen(store).write(routing_bundle=message(5, nearest(2).body))
        event = journal_pb2.HubEvent(routing_bundle=message(3, nearest(3).body))
        body = event.SerializeToString()
        await store.apply_down([(1, body)], Head(2, 1, link(GENESIS, body)))
        assert [report.activation for report in await reports(store)] == [5, 3]
        assert await rule(store) == "nearest@3"


async def test_the_journal_says_it_in_a_sentence(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = HubPen(store)
        await hub.write(routing_bundle=message(1, nearest(2).body))
        await hub.write(routing_bundle=message(2, b"no JSON"))
        rows = await store.read(lambda reader: reader.journal())
        first, second = (one_line(parse_node_event(row["body"])) for row in rows)
        assert first == f"decides by routing bundle {nearest(2).digest[:12]}, activation 1"
        assert "a newer one is refused" in second


def test_a_bundle_that_is_not_what_was_signed_is_not_read() -> None:
    good = message(1, document("nearest", 2))

    def taken(told: routing_pb2.RoutingBundle) -> bytes:
        return document_of(told, lambda signature, _text: signature == SIGNED)

    assert taken(good) == document("nearest", 2)
    too_long = b" " * (ROUTING_BUNDLE_BYTES_MAX + 1)
    for bad in (
        {"document_zlib": zlib.compress(document("nearest", 3))},
        {"document_zlib": b"not packed"},
        {"document_zlib": good.document_zlib[:-4]},
        {"document_zlib": good.document_zlib + b"more"},
        {"document_zlib": zlib.compress(too_long), "digest": sha256(too_long).digest()},
        {"signature": b"another"},
    ):
        told = routing_pb2.RoutingBundle.FromString(good.SerializeToString())
        for name, value in bad.items():
            setattr(told, name, value)
        with pytest.raises(PeerFault):
            taken(told)

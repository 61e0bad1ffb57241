"""Nodes: made known, given their profile and catalogue, and told which configuration to run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from bodega.codec import desired_state_text
from bodega.core.chain import GENESIS
from bodega.core.conflicts.fields import BIN
from bodega.errors import NotFound
from bodega.limits import SETTINGS_MAX
from bodega.v1 import fleet_pb2, journal_pb2
from bodega_controlplane.app import wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.fleet.profile_checks import check_profile, check_size
from bodega_controlplane.app.goods import catalogue, divergence
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.node_views import NodeDraft
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.routing import activating
from bodega_controlplane.app.shipping import services as shipping
from bodega_controlplane.app.views import Caller, NodeView, Page, PageRequest
from bodega_controlplane.store import catalogue as sku_rows
from bodega_controlplane.store import journal, nodes, proposals, waiting
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

# Columns of the two streams and of the node itself, as they begin; a new profile leaves them alone.
_NEW_NODE = {
    "epoch": 1,
    "applied_seq": 0,
    "applied_hash": GENESIS,
    "head_seq": 0,
    "down_epoch": 1,
    "down_seq": 0,
    "down_hash": GENESIS,
    "down_applied_seq": 0,
    "last_contact_ms": 0,
    "boot_nonce": "",
    "health": "",
    "desired_generation": 0,
    "desired_settings": "{}",
    "reported_generation": 0,
    "reported": "{}",
    "refused": 0,
    "foreign_ms": 0,
    "diverged_seq": 0,
    "lost_to_seq": 0,
    "fenced": "",
    "desired_signature": "",
    "down_trimmed_ms": 0,
}


def register_node(tx: Transaction, caller: Caller, draft: NodeDraft) -> NodeView:
    """Make a node known, or replace its profile; a new one is told the whole catalogue.

    Where its bins stand on a walk is the node's own word, once it has given one. Raises InvalidInput with every fault.
    """
    # Taken before the node's row, as a change of the catalogue does: nobody misses a SKU in between.
    sku_rows.lock(tx)
    draft = shipping.with_card(tx, caller.now_ms, draft)
    check_profile(tx, draft)
    tx.lock_nodes([draft.node_id])
    known = nodes.by_id(tx, draft.node_id)
    draft = _with_own_walk(tx, draft) if known else draft
    version = (known.profile_version if known else 0) + 1
    profile = wire.profile_message(draft, version)
    check_size(profile)
    row = {
        "node_id": draft.node_id,
        "name": draft.name,
        "latitude": draft.location.latitude,
        "longitude": draft.location.longitude,
        "profile": profile.SerializeToString(),
        "profile_version": version,
        "kind": draft.kind,
        "country": draft.country,
        "capacity_orders": draft.capacity_orders,
        "time_zone": draft.time_zone,
        "labels": json.dumps(dict(draft.labels), sort_keys=True),
        **_NEW_NODE,
    }
    nodes.put(tx, row, keep=tuple(_NEW_NODE))
    shipping.keep(tx, caller.now_ms, profile)
    cmd_id = new_id("C", caller.now_ms)
    told = [journal_pb2.HubEvent(node_profile=profile), *(() if known else activating.said_again(tx))]
    outbox.post(tx, caller, draft.node_id, told, cmd_id=cmd_id)
    if known is None:
        skus = catalogue.events_of(catalogue.whole_catalogue(tx))
        outbox.post_bulk(tx, caller, [draft.node_id], skus, cmd_id=cmd_id)
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="node.profile_changed" if known else "node.registered",
        subject=draft.node_id,
        detail={"version": version, "bins": len(draft.bins)},
    )
    return _view(_known(tx, draft.node_id))


def _with_own_walk(tx: Transaction, draft: NodeDraft) -> NodeDraft:
    own = proposals.own_words(tx, draft.node_id, BIN, "walk_order")
    bins = (replace(one, walk_order=int(own.get(one.bin_id, one.walk_order))) for one in draft.bins)
    return replace(draft, bins=tuple(bins))


def list_nodes(tx: Transaction) -> tuple[NodeView, ...]:
    """All nodes by id."""
    return _shown(tx, nodes.all_of(tx))


def page_of_nodes(tx: Transaction, page: PageRequest | None) -> Page[NodeView]:
    """Nodes by id; None: all of them. Raises InvalidInput for a token that is none."""
    if page is None:
        return Page(list_nodes(tx))
    limit = limit_of(page.size)
    key = key_of(page.token, str)
    rows = nodes.page(tx, str(key[0]) if key else "", limit + 1)
    views = _shown(tx, rows[:limit])
    return Page(views, token_after(views[-1].node_id) if len(rows) > limit else "")


def get_node(tx: Transaction, node_id: str) -> NodeView:
    """One node. Raises NotFound."""
    return _shown(tx, [_known(tx, node_id)])[0]


def _shown(tx: Transaction, rows: Sequence[Row]) -> tuple[NodeView, ...]:
    parked, bulk, differing = journal.parked_counts(tx), waiting.counts(tx), divergence.views(tx)
    return tuple(
        replace(
            _view(row),
            parked=parked.get(row.node_id, 0),
            down_waiting=bulk.get(row.node_id, 0),
            divergence=differing.get(row.node_id),
        )
        for row in rows
    )


def _known(tx: Transaction, node_id: str) -> Row:
    row = nodes.by_id(tx, node_id)
    if row is None:
        raise NotFound(f"there is no node '{node_id}'", hint="list the nodes: bodegactl nodes ls")
    return row


def _view(row: Row) -> NodeView:
    return NodeView(
        node_id=row.node_id,
        name=row.name,
        epoch=row.epoch,
        head_seq=max(row.head_seq, row.applied_seq),
        applied_seq=row.applied_seq,
        down_head_seq=row.down_seq,
        down_applied_seq=row.down_applied_seq,
        last_contact_ms=row.last_contact_ms,
        health=wire.health_from_json(row.health),
        desired_generation=row.desired_generation,
        reported_generation=row.reported_generation,
        diverged_seq=row.diverged_seq,
        refused=row.refused,
        lost_to_seq=row.lost_to_seq,
        fenced=row.fenced,
        paused_at_ms=row.paused_at_ms,
    )


def set_desired_state(
    tx: Transaction,
    caller: Caller,
    node_id: str,
    settings: Mapping[str, str],
    sign: Callable[[bytes], bytes],
) -> int:
    """Set the configuration a node should run, signed (`hub.key.sign`); returns the generation.

    Raises NotFound, InvalidInput.
    """
    faults = Faults()
    faults.count("settings", settings, 0, SETTINGS_MAX)
    for name, value in sorted(settings.items()):
        faults.identifier(f"settings.{name}", name)
        faults.text(f"settings.{name}", value, empty=True)
    faults.raise_if_any("the configuration")
    tx.lock_nodes([node_id])
    known = _known(tx, node_id)
    # A hub that was restored may have forgotten generations that the node has run.
    generation = max(int(known.desired_generation), int(known.reported_generation)) + 1
    text = desired_state_text(node_id, generation, settings.items())
    desired = fleet_pb2.DesiredState(generation=generation, settings=dict(settings), signature=sign(text))
    nodes.change(
        tx,
        node_id,
        desired_generation=generation,
        desired_settings=json.dumps(dict(settings), sort_keys=True),
        desired_signature=desired.signature.hex(),
    )
    event = journal_pb2.HubEvent(desired_state=desired)
    outbox.post(tx, caller, node_id, [event], cmd_id=new_id("C", caller.now_ms))
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="node.configured",
        subject=node_id,
        detail={"generation": generation, "settings": sorted(settings)},
    )
    return generation


def check_known(tx: Transaction, node_id: str) -> None:
    """Raise NotFound for a node that is not registered."""
    _known(tx, node_id)


def note_certificate(tx: Transaction, now_ms: int, node_id: str, certificate: bytes) -> None:
    """A line in the audit trail for a certificate (PEM) that a node was given. Raises NotFound."""
    _known(tx, node_id)
    tx.audit(
        at_ms=now_ms,
        actor=f"node:{node_id}",
        action="node.certified",
        subject=node_id,
        detail={"pem_sha256": sha256(certificate).hexdigest()},
    )

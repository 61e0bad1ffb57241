"""The network's rate cards: imported, listed, read. The newest one whose day has come is in force."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from bodega.errors import NotFound
from bodega.limits import NODE_CARRIER_SERVICES_MAX, NODE_PROFILE_BYTES_MAX
from bodega.v1 import catalogue_pb2 as pb
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.shipping.checks import check_card
from bodega_controlplane.app.shipping.services import same, services_of, with_published
from bodega_controlplane.app.shipping.views import CardView
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import nodes, rates
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


def import_card(
    tx: Transaction, caller: Caller, card: pb.RateCard, *, check_only: bool = False
) -> tuple[CardView, bool, int]:
    """The card as it is kept, whether it is new, and how many nodes are given other services by it.

    The newest card again changes nothing. Nodes are told a moment later (`telling`). Raises InvalidInput with every
    fault, also with nodes that could not take it.
    """
    rates.lock(tx)
    faults = Faults()
    check_card(faults, card, nodes.ids(tx))
    faults.raise_if_any("the rate card")
    changing = nodes_changed(tx, faults, with_published(tx, card))
    faults.raise_if_any("the rate card")
    body = card.SerializeToString(deterministic=True)
    digest = sha256(body).digest()
    newest = rates.newest(tx)
    if newest is not None and newest.digest == digest:
        return get_card(tx, caller.now_ms, newest.version)[0], False, 0
    row = {
        "version": (newest.version if newest else 0) + 1,
        "name": card.name,
        "digest": digest,
        "body": body,
        "valid_from_ms": _midnight_ms(card.valid_from) if card.valid_from else caller.now_ms,
        "imported_at_ms": caller.now_ms,
        "imported_by": caller.actor,
    }
    if check_only:
        return _view(card, digest, 0, caller.now_ms, in_force=False), True, changing
    rates.put_card(tx, row)
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="rates.imported",
        subject=card.name,
        detail={"version": row["version"], "digest": digest.hex(), "valid_from": card.valid_from},
    )
    return get_card(tx, caller.now_ms, int(row["version"]))[0], True, changing


def nodes_changed(tx: Transaction, faults: Faults, card: pb.RateCard) -> int:
    """How many nodes have other services by it; nodes that it is too much for are faults."""
    changing = 0
    down = rates.down(tx)
    for node in nodes.all_of(tx):
        profile = pb.NodeProfile.FromString(node.profile)
        services = services_of(node.node_id, profile.carrier_services, 0, card, down)
        changing += not same(services, profile.carrier_services)
        del profile.carrier_services[:]
        profile.carrier_services.extend(services)
        if len(services) > NODE_CARRIER_SERVICES_MAX:
            faults.add(
                "card.services",
                f"gives node {node.node_id} {len(services)} services, {NODE_CARRIER_SERVICES_MAX} is the most",
            )
        elif (size := profile.ByteSize()) > NODE_PROFILE_BYTES_MAX:
            faults.add(
                "card.services",
                f"makes the profile of node {node.node_id} {size} bytes long, {NODE_PROFILE_BYTES_MAX} is the most:"
                " name in origins which nodes a zone is for",
            )
    return changing


def list_cards(tx: Transaction, now_ms: int, size: int) -> tuple[CardView, ...]:
    """Newest version first."""
    current = rates.in_force(tx, now_ms)
    return tuple(_of_row(row, current) for row in rates.cards(tx, limit_of(size)))


def get_card(tx: Transaction, now_ms: int, version: int = 0) -> tuple[CardView, pb.RateCard]:
    """One card, or the one in force. Raises NotFound."""
    current = rates.in_force(tx, now_ms)
    row = rates.card(tx, version or current)
    if row is None:
        what = f"there is no rate card {version}" if version else "no rate card is in force"
        raise NotFound(what, hint="see bodegactl rates ls, or import one: bodegactl rates import FILE")
    return _of_row(row, current), pb.RateCard.FromString(row.body)


def _of_row(row: Row, current: int) -> CardView:
    card = pb.RateCard.FromString(row.body)
    return _view(card, row.digest, row.version, row.imported_at_ms, in_force=row.version == current)


def _view(card: pb.RateCard, digest: bytes, version: int, imported_at_ms: int, *, in_force: bool) -> CardView:
    return CardView(
        version=version,
        name=card.name,
        digest=digest,
        valid_from=card.valid_from,
        imported_at_ms=imported_at_ms,
        services=len(card.services),
        carriers=tuple(sorted({one.carrier for one in card.services})),
        currency=card.services[0].currency if card.services else "",
        in_force=in_force,
    )


def _midnight_ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)

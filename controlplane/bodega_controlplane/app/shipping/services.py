"""Which carrier services a node has: its own, and those of the network's card that collect there.

A node's own service stands before one of the same name in the card. What a carrier that is down offers stays in the
profile, marked: the node knows then that it exists, prints no label of it, and falls back to the next one by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from bodega.v1 import catalogue_pb2 as pb
from bodega_controlplane.app.node_views import NodeDraft
from bodega_controlplane.store import rates
from bodega_controlplane.store.transaction import Transaction


def with_card(tx: Transaction, now_ms: int, draft: NodeDraft) -> NodeDraft:
    """The draft of a profile with the services that the network gives the node."""
    version, card = card_in_force(tx, now_ms)
    services = services_of(draft.node_id, draft.carrier_services, version, card, rates.down(tx))
    return replace(draft, carrier_services=services)


def keep(tx: Transaction, now_ms: int, profile: pb.NodeProfile) -> None:
    """Keep what shipping asks of a profile that its node is given now."""
    asked = pb.NodeProfile(
        cartons=profile.cartons, carrier_services=profile.carrier_services, time_zone=profile.time_zone
    )
    body = asked.SerializeToString(deterministic=True)
    stamp, digest = stamp_of(tx, now_ms), sha256(body).hexdigest()
    rates.give(tx, {"node_id": profile.node_id, "stamp": stamp, "digest": digest, "body": body})


def stamp_of(tx: Transaction, now_ms: int) -> str:
    """What services are made from at this moment: the card in force, what carriers say, and which are down."""
    said = (row.digest for row in rates.published(tx))
    return " ".join([str(rates.in_force(tx, now_ms)), *said, *rates.down(tx)])


def card_in_force(tx: Transaction, now_ms: int) -> tuple[int, pb.RateCard]:
    """Version and card, with what carriers say themselves; 1 and an empty one without any."""
    version = rates.in_force(tx, now_ms)
    row = rates.card(tx, version) if version else None
    return version or 1, with_published(tx, _card(bytes(row.body)) if row else pb.RateCard())


def with_published(tx: Transaction, card: pb.RateCard) -> pb.RateCard:
    """The card, for carriers that say themselves what they offer with that."""
    said = [pb.RateCard.FromString(row.body) for row in rates.published(tx)]
    return overlaid(card, said) if said else card


def overlaid(card: pb.RateCard, said: Collection[pb.RateCard]) -> pb.RateCard:
    """The card with the services of some carriers, each named like its card, replaced."""
    names = {one.name for one in said}
    kept = [one for one in card.services if one.carrier not in names]
    services = [*kept, *(service for one in said for service in one.services)]
    return pb.RateCard(name=card.name, valid_from=card.valid_from, origins=card.origins, services=services)


@lru_cache(maxsize=4)
def _card(body: bytes) -> pb.RateCard:
    return pb.RateCard.FromString(body)


def services_of(
    node_id: str,
    present: Iterable[pb.CarrierService],
    version: int,
    card: pb.RateCard,
    down: Collection[str],
) -> tuple[pb.CarrierService, ...]:
    """All services of a node; of those `present` the ones that an earlier card brought are replaced."""
    own = [one for one in present if not one.card_version]
    taken = {one.service for one in own}
    groups = frozenset(one.origin for one in card.origins if node_id in one.node_ids)
    brought = (_from_card(one, version, groups) for one in card.services if one.service not in taken)
    return tuple(_marked(one, down) for one in (*own, *(one for one in brought if one.zones)))


def _from_card(service: pb.CarrierService, version: int, groups: frozenset[str]) -> pb.CarrierService:
    """A service as one node has it: only what holds there, and no word of groups."""
    found = pb.CarrierService()
    found.CopyFrom(service)
    del found.zones[:]
    found.card_version = version
    if _holds(service.origins, groups):
        found.zones.extend(zone for zone in service.zones if _holds(zone.origins, groups))
    del found.origins[:]
    for zone in found.zones:
        del zone.origins[:]
    return found


def _holds(origins: Collection[str], groups: frozenset[str]) -> bool:
    return not origins or not groups.isdisjoint(origins)


def _marked(service: pb.CarrierService, down: Collection[str]) -> pb.CarrierService:
    if service.suspended == (service.carrier in down):
        return service
    found = pb.CarrierService()
    found.CopyFrom(service)
    found.suspended = service.carrier in down
    return found


def same(one: Iterable[pb.CarrierService], other: Iterable[pb.CarrierService]) -> bool:
    """Whether two lists of services say the same, but for the card's version."""
    return list(map(_unversioned, one)) == list(map(_unversioned, other))


def _unversioned(service: pb.CarrierService) -> pb.CarrierService:
    found = pb.CarrierService()
    found.CopyFrom(service)
    found.ClearField("card_version")
    return found

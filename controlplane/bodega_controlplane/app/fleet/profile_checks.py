"""What the profile of a node may say: every fault at once, each with where it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from bodega.core.floor_words import BinKind, Role, TemperatureClass, TrackingScheme, VelocityClass
from bodega.limits import (
    IDENTIFIER_CHARS_MAX,
    NODE_ASSOCIATES_MAX,
    NODE_BINS_MAX,
    NODE_CARRIER_SERVICES_MAX,
    NODE_CARTONS_MAX,
    NODE_PROFILE_BYTES_MAX,
    NODE_TRACKING_RANGES_MAX,
)
from bodega.limits_floor import PIN_HASH_BYTES, PIN_SALT_BYTES
from bodega.limits_hub import NODE_CAPACITY_ORDERS_MAX, NODE_LABELS_MAX
from bodega.v1 import catalogue_pb2 as pb
from bodega_controlplane.app import wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.node_views import BinDraft, NodeDraft, SsccRange
from bodega_controlplane.app.shipping.checks import are_capitals, check_no_origins, check_services
from bodega_controlplane.store import nodes
from bodega_controlplane.store.transaction import Transaction

# Of the 18 digits of an SSCC, one is the extension and one the check digit (GS1 General Specifications 3.2).
_SSCC_FREE_DIGITS = 16
# UPU S10: two letters, eight digits, the check digit, two letters of the country.
_S10_DIGITS = 8
_MOD10_DIGITS_MAX = 18
_SHIP_FROM_LINES_MAX = 8
_UINT32_MAX = 2**32 - 1


def check_profile(tx: Transaction, draft: NodeDraft) -> None:
    """Raise InvalidInput with everything that is wrong with a profile."""
    faults = Faults()
    faults.subject_token("profile.node_id", draft.node_id)
    faults.text("profile.name", draft.name)
    faults.place("profile.location", draft.location)
    faults.count("profile.ship_from", draft.ship_from, 1, _SHIP_FROM_LINES_MAX)
    for place, line in enumerate(draft.ship_from):
        faults.text(f"profile.ship_from[{place}]", line)
    _check_bins(faults, draft.bins)
    _check_sscc_range(tx, faults, draft.node_id, draft.sscc_range)
    _check_cartons(faults, draft.cartons)
    _check_associates(faults, draft.associates)
    faults.count("profile.carrier_services", draft.carrier_services, 0, NODE_CARRIER_SERVICES_MAX)
    check_services(faults, "profile.carrier_services", draft.carrier_services)
    check_no_origins(faults, "profile.carrier_services", draft.carrier_services)
    _check_tracking(tx, faults, draft)
    if draft.time_zone and not _is_time_zone(draft.time_zone):
        faults.add("profile.time_zone", "must be an IANA name such as Europe/Lisbon")
    _check_what_it_is(faults, draft)
    faults.raise_if_any("the profile")


def _check_what_it_is(faults: Faults, draft: NodeDraft) -> None:
    """What routing rules look at."""
    if draft.kind:
        faults.identifier("profile.kind", draft.kind)
    if draft.country and not (len(draft.country) == 2 and are_capitals(draft.country)):
        faults.add("profile.country", "must be an ISO 3166-1 alpha-2 code such as PT")
    faults.number("profile.capacity_orders", draft.capacity_orders, 0, NODE_CAPACITY_ORDERS_MAX)
    faults.count("profile.labels", draft.labels, 0, NODE_LABELS_MAX)
    for name, value in sorted(draft.labels.items()):
        faults.identifier(f"profile.labels.{name[:IDENTIFIER_CHARS_MAX]}", name)
        faults.text(f"profile.labels.{name[:IDENTIFIER_CHARS_MAX]}", value, empty=True)


def check_size(profile: pb.NodeProfile) -> None:
    """Raise InvalidInput for a profile that no envelope could bring to its node."""
    faults = Faults()
    size = profile.ByteSize()
    if size > NODE_PROFILE_BYTES_MAX:
        faults.add(
            "profile",
            f"has {size} bytes, {NODE_PROFILE_BYTES_MAX} is the most: use fewer bins or shorter ids",
        )
    faults.raise_if_any("the profile")


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _once(faults: Faults, where: str, names: Iterable[str], field: str) -> None:
    """Each name is an identifier, and there once."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        faults.identifier(f"{where}[{place}].{field}", name)
        if name in seen:
            faults.add(f"{where}[{place}].{field}", f"is there twice: {name}")
        seen.add(name)


def _check_bins(faults: Faults, bins: Sequence[BinDraft]) -> None:
    faults.count("profile.bins", bins, 1, NODE_BINS_MAX)
    _once(faults, "profile.bins", (one.bin_id for one in bins), "bin_id")
    for place, one in enumerate(bins):
        where = f"profile.bins[{place}]"
        for name in ("walk_order", "capacity_ml", "capacity_g", "refill_below", "refill_to"):
            faults.number(f"{where}.{name}", getattr(one, name), 0, _UINT32_MAX)
        faults.one_of(f"{where}.kind", one.kind, ("", *BinKind))
        faults.one_of(f"{where}.temperature_class", one.temperature_class, ("", *TemperatureClass))
        faults.one_of(f"{where}.velocity_class", one.velocity_class, ("", *VelocityClass))
        if one.fixed_sku_id:
            faults.identifier(f"{where}.fixed_sku_id", one.fixed_sku_id)
        if one.refill_below and not one.fixed_sku_id:
            faults.add(f"{where}.refill_below", "needs fixed_sku_id: of what is it refilled?")
        if one.refill_to < one.refill_below:
            faults.add(f"{where}.refill_to", f"must be at least refill_below ({one.refill_below})")


def _check_sscc_range(tx: Transaction, faults: Faults, node_id: str, serials: SsccRange) -> None:
    where = "profile.sscc_range"
    faults.number(f"{where}.extension", serials.extension, 0, 9)
    prefix = serials.company_prefix
    if not (prefix.isascii() and prefix.isdigit() and 4 <= len(prefix) <= 12):
        faults.add(f"{where}.company_prefix", "must be 4 to 12 digits")
        return
    highest = 10 ** (_SSCC_FREE_DIGITS - len(prefix)) - 1
    faults.number(f"{where}.first_serial", serials.first_serial, 0, highest)
    faults.number(f"{where}.last_serial", serials.last_serial, serials.first_serial, highest)
    for other in nodes.all_of(tx):
        theirs = wire.sscc_range_in(other.profile)
        if other.node_id != node_id and _share_serials(serials, theirs):
            faults.add(where, f"shares serials with node {other.node_id}: two parcels could get one SSCC")


def _share_serials(one: SsccRange, other: SsccRange) -> bool:
    same = (one.extension, one.company_prefix) == (other.extension, other.company_prefix)
    return same and one.first_serial <= other.last_serial and other.first_serial <= one.last_serial


def _check_cartons(faults: Faults, cartons: Sequence[pb.Carton]) -> None:
    faults.count("profile.cartons", cartons, 0, NODE_CARTONS_MAX)
    _once(faults, "profile.cartons", (one.carton_id for one in cartons), "carton_id")
    for place, one in enumerate(cartons):
        where = f"profile.cartons[{place}]"
        for name in ("length_mm", "width_mm", "height_mm"):
            faults.number(f"{where}.{name}", getattr(one, name), 1, _UINT32_MAX)
        faults.number(f"{where}.max_weight_g", one.max_weight_g, one.weight_g + 1, _UINT32_MAX)


def _check_associates(faults: Faults, associates: Sequence[pb.Associate]) -> None:
    faults.count("profile.associates", associates, 0, NODE_ASSOCIATES_MAX)
    _once(faults, "profile.associates", (one.associate_id for one in associates), "associate_id")
    badges: set[str] = set()
    for place, one in enumerate(associates):
        where = f"profile.associates[{place}]"
        faults.text(f"{where}.name", one.name)
        faults.one_of(f"{where}.role", one.role, tuple(Role))
        faults.text(f"{where}.badge", one.badge, empty=True)
        if one.badge and one.badge in badges:
            faults.add(f"{where}.badge", "is somebody else's too")
        badges.add(one.badge)
        sizes = len(one.pin_salt), len(one.pin_hash)
        if sizes not in {(0, 0), (PIN_SALT_BYTES, PIN_HASH_BYTES)}:
            faults.add(f"{where}.pin_hash", "is no hash of a PIN: make one with bodegactl nodes associate")
        if not (one.badge or one.pin_hash):
            faults.add(where, "has neither badge nor PIN: nobody could sign in so")


def _check_tracking(tx: Transaction, faults: Faults, draft: NodeDraft) -> None:
    faults.count("profile.tracking_ranges", draft.tracking_ranges, 0, NODE_TRACKING_RANGES_MAX)
    carriers = {one.carrier for one in draft.carrier_services}
    taken = [
        (f"node {other.node_id}", theirs)
        for other in nodes.all_of(tx)
        if other.node_id != draft.node_id
        for theirs in pb.NodeProfile.FromString(other.profile).tracking_ranges
    ]
    for place, one in enumerate(draft.tracking_ranges):
        where = f"profile.tracking_ranges[{place}]"
        if one.carrier not in carriers:
            faults.add(f"{where}.carrier", f"has no service in carrier_services: {one.carrier[:64]!r}")
        _check_numbers(faults, where, one)
        for who, theirs in taken:
            if _share_numbers(one, theirs):
                faults.add(where, f"shares numbers with {who}: two parcels could get one tracking number")
        taken.append((f"tracking_ranges[{place}]", one))


def _check_numbers(faults: Faults, where: str, one: pb.TrackingRange) -> None:
    faults.one_of(f"{where}.scheme", one.scheme, tuple(TrackingScheme))
    if one.scheme == TrackingScheme.S10:
        for name, letters in (("prefix", one.prefix), ("suffix", one.suffix)):
            if not (len(letters) == 2 and are_capitals(letters)):
                faults.add(f"{where}.{name}", "must be two capital letters (UPU S10)")
        faults.number(f"{where}.digits", one.digits, _S10_DIGITS, _S10_DIGITS)
    else:
        if one.prefix and not (one.prefix.isascii() and one.prefix.isdigit()):
            faults.add(f"{where}.prefix", "must be digits")
        if one.suffix:
            faults.add(f"{where}.suffix", "must be empty: the check digit ends it")
        faults.number(f"{where}.digits", one.digits, 1, _MOD10_DIGITS_MAX)
    highest = 10 ** min(one.digits, _MOD10_DIGITS_MAX) - 1
    faults.number(f"{where}.first_number", one.first_number, 0, highest)
    faults.number(f"{where}.last_number", one.last_number, one.first_number, highest)


def _share_numbers(one: pb.TrackingRange, other: pb.TrackingRange) -> bool:
    same = (one.carrier, one.scheme, one.prefix, one.suffix, one.digits) == (
        other.carrier,
        other.scheme,
        other.prefix,
        other.suffix,
        other.digits,
    )
    return same and one.first_number <= other.last_number and other.first_number <= one.last_number

"""The profile of a node as a file, TOML or JSON: its shape. What its values may be, the control plane checks."""

from __future__ import annotations

import json
from pathlib import Path

import attrs

from bodega.errors import ConfigInvalid, FieldFault, InvalidInput
from bodega.host import config
from bodega.v1 import catalogue_pb2
from bodega_controlplane.carriers.card_document import CarrierService, service_message


@attrs.frozen
class Location:
    """WGS 84, in degrees."""

    latitude: float
    longitude: float


@attrs.frozen
class SsccRange:
    """SSCC serial references that the node may use, both ends included."""

    extension: int
    company_prefix: str
    first_serial: int
    last_serial: int


@attrs.frozen
class Bin:
    """A storage location; lower `walk_order` is nearer to the door. The rest as in bodega.v1.Bin."""

    bin_id: str
    walk_order: int
    kind: str = ""
    temperature_class: str = ""
    velocity_class: str = ""
    capacity_ml: int = 0
    capacity_g: int = 0
    fixed_sku_id: str = ""
    refill_below: int = 0
    refill_to: int = 0


@attrs.frozen
class Carton:
    """A box that parcels are packed into; inner measures, and what it weighs empty and at most."""

    carton_id: str
    length_mm: int
    width_mm: int
    height_mm: int
    max_weight_g: int
    weight_g: int = 0


def _is_hex(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    try:
        bytes.fromhex(value)
    except ValueError:
        raise ValueError(f"'{attribute.name}' must be hexadecimal digits, two for each byte") from None


@attrs.frozen
class Associate:
    """A person who works there; `pin_salt` and `pin_hash` as `bodegactl nodes associate` prints them."""

    associate_id: str
    name: str
    role: str = "associate"
    badge: str = ""
    pin_salt: str = attrs.field(default="", validator=_is_hex)
    pin_hash: str = attrs.field(default="", validator=_is_hex)


@attrs.frozen
class TrackingRange:
    """Tracking numbers that the node may give out; `scheme` is s10 or mod10."""

    carrier: str
    scheme: str
    first_number: int
    last_number: int
    prefix: str = ""
    suffix: str = ""
    digits: int = 8


@attrs.frozen
class Profile:
    """What the control plane must know of a node."""

    node_id: str
    name: str
    location: Location
    ship_from: list[str]
    sscc_range: SsccRange
    bins: list[Bin]
    time_zone: str = ""
    cartons: list[Carton] = attrs.field(factory=list)
    associates: list[Associate] = attrs.field(factory=list)
    carrier_services: list[CarrierService] = attrs.field(factory=list)
    tracking_ranges: list[TrackingRange] = attrs.field(factory=list)
    kind: str = ""
    country: str = ""
    capacity_orders: int = 0
    labels: dict[str, str] = attrs.field(factory=dict)


def read_profile(text: str, path: Path) -> catalogue_pb2.NodeProfile:
    """The message of a profile file. Raises InvalidInput with every fault of its shape."""
    try:
        if path.suffix.lower() == ".json":
            profile = config.structure(_json(text, path), Profile, source=str(path))
        else:
            profile = config.parse(text, Profile, source=str(path))
    except ConfigInvalid as error:
        raise InvalidInput(error.message, hint=error.hint, faults=error.faults) from error
    try:
        return _message(profile)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            f"{path}: a number is too large or negative", hint="all numbers but degrees are 0 or more"
        ) from error


def in_file(fault: FieldFault, text: str) -> FieldFault:
    """A fault that the control plane found, with its line in a TOML file where that can be told."""
    where = fault.where.removeprefix("profile.").replace(".cut_off_minute", ".cut_off")
    keys = where.replace("[", ".").replace("]", "").split(".")
    return FieldFault(where, fault.problem, config.line_of(text, keys))


def _json(text: str, path: Path) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        fault = FieldFault("file", f"is not JSON: {getattr(error, 'msg', error)}", line)
        raise ConfigInvalid(f"{path} has 1 fault", hint="mend it and try again", faults=(fault,)) from error


def _message(profile: Profile) -> catalogue_pb2.NodeProfile:
    serials = profile.sscc_range
    return catalogue_pb2.NodeProfile(
        node_id=profile.node_id,
        name=profile.name,
        location=catalogue_pb2.GeoPoint(
            latitude=profile.location.latitude, longitude=profile.location.longitude
        ),
        ship_from=profile.ship_from,
        sscc_range=catalogue_pb2.SsccRange(
            extension=serials.extension,
            company_prefix=serials.company_prefix,
            first_serial=serials.first_serial,
            last_serial=serials.last_serial,
        ),
        bins=[catalogue_pb2.Bin(**attrs.asdict(row)) for row in profile.bins],
        time_zone=profile.time_zone,
        cartons=[catalogue_pb2.Carton(**attrs.asdict(row)) for row in profile.cartons],
        associates=map(_associate, profile.associates),
        carrier_services=map(service_message, profile.carrier_services),
        tracking_ranges=[catalogue_pb2.TrackingRange(**attrs.asdict(row)) for row in profile.tracking_ranges],
        kind=profile.kind,
        country=profile.country,
        capacity_orders=profile.capacity_orders,
        labels=profile.labels,
    )


def _associate(person: Associate) -> catalogue_pb2.Associate:
    return catalogue_pb2.Associate(
        associate_id=person.associate_id,
        name=person.name,
        role=person.role,
        badge=person.badge,
        pin_salt=bytes.fromhex(person.pin_salt),
        pin_hash=bytes.fromhex(person.pin_hash),
    )

"""The profile of a node as a file, TOML or JSON: its shape. What its values may be, the control plane checks."""

from __future__ import annotations

import json
from pathlib import Path

import attrs

from bodega.errors import ConfigInvalid, FieldFault, InvalidInput
from bodega.host import config
from bodega.v1 import catalogue_pb2


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
    """A storage location; lower `walk_order` is nearer to the door."""

    bin_id: str
    walk_order: int


@attrs.frozen
class Profile:
    """What the control plane must know of a node."""

    node_id: str
    name: str
    location: Location
    ship_from: list[str]
    sscc_range: SsccRange
    bins: list[Bin]


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
            f"{path}: a number is too large or negative", hint="walk orders and serials are 0 or more"
        ) from error


def in_file(fault: FieldFault, text: str) -> FieldFault:
    """A fault that the control plane found, with its line in a TOML file where that can be told."""
    where = fault.where.removeprefix("profile.")
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
        bins=[catalogue_pb2.Bin(bin_id=row.bin_id, walk_order=row.walk_order) for row in profile.bins],
    )

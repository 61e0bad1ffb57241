"""The clock on the wall of the node: carriers come by it."""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bodega.host.log import get_logger
from bodega.v1 import catalogue_pb2

log = get_logger(__name__)


def zone_of(profile: catalogue_pb2.NodeProfile) -> tzinfo:
    """The node's time zone; UTC where the profile names none, or one that this machine does not know."""
    return _zone(profile.time_zone) if profile.time_zone else UTC


@cache
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        log.warning("time_zone_unknown", time_zone=name, reason=str(error))
        return UTC

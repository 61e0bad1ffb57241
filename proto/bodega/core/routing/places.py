"""Where things are on the earth."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

# Mean radius of the earth, IUGG.
_EARTH_KM = 6371.0088


def distance_km(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Great-circle distance by the haversine formula, degrees in."""
    north, to_north = radians(latitude), radians(to_latitude)
    half_chord = (
        sin((to_north - north) / 2) ** 2
        + cos(north) * cos(to_north) * sin(radians(to_longitude - longitude) / 2) ** 2
    )
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, half_chord)))

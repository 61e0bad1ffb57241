"""Channels that sell: their kinds, and how many requests each may send."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from bodega.limits_hub import CHANNEL_BURST_S


class ChannelKind(StrEnum):
    """Where customers buy."""

    STOREFRONT = "storefront"
    MARKETPLACE = "marketplace"
    POS = "pos"


class Bucket(NamedTuple):
    """A token bucket: requests that may be sent at once, as of a moment on a clock that never goes back."""

    requests: float
    at_s: float


def full(per_s: int, now_s: float) -> Bucket:
    """Of a channel that has rested."""
    return Bucket(max(1.0, per_s * CHANNEL_BURST_S), now_s)


def take(bucket: Bucket, per_s: int, now_s: float) -> tuple[Bucket, float]:
    """One request: the bucket after it, and 0; or how many seconds it has to wait, and nothing is taken."""
    at_s = max(bucket.at_s, now_s)
    held = min(full(per_s, at_s).requests, bucket.requests + (at_s - bucket.at_s) * per_s)
    if held >= 1:
        return Bucket(held - 1, at_s), 0.0
    return Bucket(held, at_s), (1 - held) / per_s

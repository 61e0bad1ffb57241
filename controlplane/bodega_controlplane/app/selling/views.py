"""Values of the channels' room."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_controlplane.rules.channels import ChannelKind


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel that sells. Times in milliseconds since 1970-01-01 UTC; `revoked_at_ms` 0: it may ask.

    `buffer_units`: base units of each SKU at each node that it leaves to the others. `requests_per_s`: how many
    requests a second it may send to one control plane.
    """

    channel_id: str
    kind: ChannelKind
    buffer_units: int
    requests_per_s: int
    created_at_ms: int = 0
    changed_at_ms: int = 0
    revoked_at_ms: int = 0

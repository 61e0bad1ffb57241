"""What handing over must know: the parcel that was scanned."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.facts import Facts


@dataclass(frozen=True, slots=True)
class Parcel:
    """What the node knows of an SSCC."""

    sscc: str
    fulfillment_order_id: str
    state: FulfillmentState


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverFacts(Facts):
    """`parcel`: what was scanned."""

    parcel: Parcel | None = None

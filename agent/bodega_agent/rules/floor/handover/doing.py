"""What handing over remembers between two scans."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.session import Doing


@dataclass(frozen=True, slots=True)
class HandingOver(Doing):
    """The carrier whose driver is here: the first parcel of a carrier says so."""

    carrier: str


@dataclass(frozen=True, slots=True)
class ClosingManifest(Doing):
    """The manifest that a driver is about to sign."""

    manifest_id: str

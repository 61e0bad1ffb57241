"""The clock that promises end by; the control plane's overrides end by the same."""

from __future__ import annotations

from bodega.host.clock import boot_time

__all__ = ["boot_time"]

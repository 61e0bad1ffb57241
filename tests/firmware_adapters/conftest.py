"""The judge of labels, for the tests that ask for it."""

from __future__ import annotations

from support.printed_zpl import zpl_renderer

__all__ = ["zpl_renderer"]

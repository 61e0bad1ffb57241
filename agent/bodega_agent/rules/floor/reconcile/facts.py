"""What reconciling must know beside a count: what could explain each difference, looked up when the goods are counted.

`why`: (SKU, lot) -> sentences, the best first; only of lines that differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega_agent.rules.floor.count.facts import CountFacts, Key


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileFacts(CountFacts):
    """See the module's text."""

    why: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)

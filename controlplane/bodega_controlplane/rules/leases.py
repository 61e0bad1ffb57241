"""Which nodes are down: silent for a whole lease, while others were heard all along.

Times of one instance's own monotonic clock decide, and nothing that is kept: an instance that has just begun, or that
was cut off from the broker together with its nodes, has seen nobody be silent for long.
"""

from __future__ import annotations

from collections.abc import Mapping

from bodega.limits_hub import ANY_NODE_HEARD_S, NODE_LEASE_S


class Leases:
    """What one instance has seen of the nodes' contacts."""

    def __init__(self, lease_s: float = NODE_LEASE_S, any_heard_s: float = ANY_NODE_HEARD_S) -> None:
        self._lease_s = lease_s
        self._any_heard_s = any_heard_s
        self._contacts: dict[str, int] = {}
        self._heard_s: dict[str, float] = {}
        self._newest_s: float | None = None
        self._listening_since_s: float | None = None

    def observe(self, now_s: float, contacts: Mapping[str, int]) -> frozenset[str]:
        """Nodes that are down at this moment. `contacts`: node -> when it was heard last, in any unit that rises."""
        for node_id, contact in contacts.items():
            before = self._contacts.get(node_id)
            if before == contact:
                continue
            if before is not None:
                self._newest_s = now_s
            self._heard_s[node_id] = now_s
        self._contacts = dict(contacts)
        if self._newest_s is None or now_s - self._newest_s > self._any_heard_s:
            self._listening_since_s = None
            return frozenset()
        if self._listening_since_s is None:
            self._listening_since_s = now_s
        begun_s = self._listening_since_s
        return frozenset(
            node_id for node_id in contacts if now_s - max(self._heard_s[node_id], begun_s) >= self._lease_s
        )

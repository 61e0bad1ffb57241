"""One database transaction, as use cases see it."""

from __future__ import annotations


class Transaction:
    """Everything that a use case reads and writes goes through one of these; see `Hub.run`."""

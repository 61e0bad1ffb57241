"""What the rules of a bundle are asked about: facts by the name of their variables, and the tables.

Most rules are one fact or a number, and need no engine. It is given what has changed when it has something to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bodega.core.routing.facts import Known

if TYPE_CHECKING:
    import cel


class Values:
    """Used in one thread."""

    def __init__(self, tables: Mapping[str, Callable[..., Known]]) -> None:
        self._known: dict[str, Known] = {}
        self._untold: dict[str, object] = dict(tables)
        self._context: cel.Context | None = None

    def set(self, values: Mapping[str, Known]) -> None:
        """These are so from now on."""
        self._known.update(values)
        self._untold.update(values)

    def __getitem__(self, variable: str) -> Known:
        return self._known[variable]

    @property
    def context(self) -> cel.Context:
        """The engine's, with all that is so now."""
        if self._context is None:
            from bodega.core.routing import cel_engine  # noqa: PLC0415 - a node that routes nothing never loads it

            self._context = cel_engine.context()
        if self._untold:
            self._context.update(self._untold)
            self._untold.clear()
        return self._context

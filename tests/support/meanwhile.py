"""Something happens in another transaction, just before one of the queries of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.transaction import Transaction


@contextmanager
def meanwhile(tx: Transaction, number: int, happens: Callable[[], Any]) -> Iterator[list[str]]:
    """Just before query `number` of the block, counted from 0, something happens; the queries before that."""
    before: list[str] = []

    def query(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if len(before) == number:
            happens()
        before.append(statement)

    sa.event.listen(tx.connection, "before_cursor_execute", query)
    yield before
    sa.event.remove(tx.connection, "before_cursor_execute", query)

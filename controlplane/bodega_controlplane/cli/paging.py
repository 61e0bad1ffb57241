"""Pages of the hub put together, up to the number of rows that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from bodega.limits import PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX

Row = TypeVar("Row")


def limit_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--limit for a read that comes in pages."""
    return click.option(
        "--limit",
        type=click.IntRange(min=1),
        default=PAGE_ROWS_DEFAULT,
        show_default=True,
        help="Show at most so many rows.",
    )(command)


def collect(limit: int, fetch: Callable[[int, str], tuple[Sequence[Row], str]]) -> list[Row]:
    """Call `fetch(page_size, page_token) -> (rows, next_token)` until `limit` rows or the end."""
    rows: list[Row] = []
    token = ""
    while len(rows) < limit:
        found, token = fetch(min(limit - len(rows), PAGE_ROWS_MAX), token)
        rows += found
        if not token:
            break
    return rows[:limit]

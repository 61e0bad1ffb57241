"""What every command that decides something takes: a reason, an end, and an id to repeat it safely under."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import click

_SPAN = re.compile(r"(\d{1,6})([mhd])")
_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Until(click.ParamType[int]):
    """A span ("90m", "4h", "2d") or a time ("2026-11-23T18:00Z"), as milliseconds from now."""

    name = "UNTIL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Fails for a time that is over, or that is neither."""
        if isinstance(value, int):
            return value
        span = _SPAN.fullmatch(value)
        if span:
            return int(span[1]) * _MS[span[2]] or self._wrong(value, param, ctx)
        try:
            end = datetime.fromisoformat(value)
        except ValueError:
            return self._wrong(value, param, ctx)
        end = end if end.tzinfo else end.replace(tzinfo=UTC)
        left_ms = int((end - datetime.now(UTC)).total_seconds() * 1000)
        return left_ms if left_ms > 0 else self._wrong(value, param, ctx)

    def _wrong(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        self.fail(f"'{value}' is no span (90m, 4h, 2d) and no time to come (2026-11-23T18:00Z)", param, ctx)


class Span(click.ParamType[int]):
    """A span ("90m", "4h", "2d") in milliseconds."""

    name = "SPAN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Fails for anything else."""
        if isinstance(value, int):
            return value
        span = _SPAN.fullmatch(value)
        return (
            int(span[1]) * _MS[span[2]]
            if span
            else self.fail(f"'{value}' is no span: 90m, 4h, 2d", param, ctx)
        )


def until_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--until, which gives `expires_after_ms`."""
    return click.option(
        "--until",
        "expires_after_ms",
        required=True,
        type=Until(),
        help="When the rule is in force again: 90m, 4h, 2d, or a time such as 2026-11-23T18:00Z.",
    )(command)


def reason_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--reason: why, in the person's words."""
    return click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept with the decision.")(
        command
    )


def request_id_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--request-id; a new one where none is given."""
    return click.option(
        "--request-id",
        metavar="ID",
        default=lambda: uuid4().hex,
        help="Repeat a request safely under its id.",
    )(command)

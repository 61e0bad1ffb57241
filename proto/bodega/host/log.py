"""Logs that a person can read on a terminal and a machine can read in a service.

One event name per event (`log.info("label_sent", sscc=...)`). Node, order and correlation ids are
bound once (`bound(...)`) and follow through every await. Nothing personal and nothing secret is
ever logged; keys that could carry it are dropped here as a last line of defence.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from json import dumps
from typing import Any, TextIO

import structlog

from bodega.errors import BodegaError
from bodega.limits import DIAGNOSIS_LOG_LINES_MAX, LOG_LINE_CHARS_MAX

_NEVER_LOGGED = frozenset({"token", "password", "secret", "authorization", "recipient", "ship_to", "address"})


def _drop_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in _NEVER_LOGGED.intersection(event):
        event[key] = "[withheld]"
    return event


# The newest lines, for `bodegactl nodes diagnose`: what a person at the box would read.
_recent: deque[str] = deque(maxlen=DIAGNOSIS_LOG_LINES_MAX)


def _keep_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    _recent.append(dumps(event, sort_keys=True, default=str, ensure_ascii=False)[:LOG_LINE_CHARS_MAX])
    return event


def recent_lines(lines_max: int) -> list[str]:
    """The newest lines of this process, oldest first, each cut to LOG_LINE_CHARS_MAX; without secrets."""
    return list(_recent)[-lines_max:] if lines_max > 0 else []


def configure(*, level: str = "info", json: bool | None = None, stream: TextIO | None = None) -> None:
    """Set up logging for this process, once, from a composition root.

    `json=None` decides by itself: plain lines on a terminal, JSON everywhere else.
    """
    out = stream or sys.stderr
    as_json = json if json is not None else not out.isatty()
    renderer: Any = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if as_json
        else structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in os.environ)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _drop_secrets,
            _keep_line,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> Any:
    """A logger whose lines carry the module they come from."""
    return structlog.get_logger(module=name.removeprefix("bodega_"))


@contextmanager
def last_words() -> Iterator[None]:
    """Log the traceback of a bug that ends this process: nobody sits at the terminal of a service."""
    try:
        yield
    except BodegaError:
        raise
    except Exception:
        get_logger(__name__).exception("died_of_a_bug")
        raise


@contextmanager
def bound(**ids: Any) -> Iterator[None]:
    """Bind ids (node_id, order_id, correlation_id, ...) to every line logged inside the block."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield

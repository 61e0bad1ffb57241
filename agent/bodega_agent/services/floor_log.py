"""One log event for each thing that happened on the floor, with order and correlation ids bound to it.

Said after the commit, so that the log never tells of something that is not in the ledger. What an effect does not show
of itself (`repr=False`) is personal, and not told.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bodega.core.ledger import Goods
from bodega.host.log import bound, get_logger
from bodega_agent.rules.floor.effects import Effect

log = get_logger(__name__)


def say(done: tuple[Effect, ...], *, device: str, order_id: str) -> None:
    """Log what a scan, or news, has led to."""
    with bound(device=device, order_id=order_id, correlation_id=order_id):
        for effect in done:
            log.info(effect.logged_as, **_facts(effect))


def _facts(effect: Effect) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for each in fields(effect):
        if not each.repr:
            continue
        value = getattr(effect, each.name)
        if isinstance(value, Goods):
            facts |= {"sku_id": value.sku_id, "quantity": value.quantity}
        else:
            # `event` is structlog's own word for the name of the line.
            facts["step" if each.name == "event" else each.name] = value
    return facts


def order_named_by(done: tuple[Effect, ...]) -> str:
    """The fulfillment order that these effects are about; empty for work without one."""
    named = (getattr(effect, "fulfillment_order_id", "") for effect in done)
    return next(filter(None, named), "")

"""Past decisions made again: by another bundle, to see what would change; by their own, to see that nothing does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from bodega.core.routing.bundle import Bundle
from bodega.core.routing.decide import decide
from bodega.core.routing.replaying import compared
from bodega.core.routing.rows import choice_to_rows
from bodega.errors import BodegaError, NotFound
from bodega.limits_hub import ROUTING_DECISIONS_PER_PAGE_MAX
from bodega_controlplane.app.paging import key_of, token_after
from bodega_controlplane.app.routing import bundles, records
from bodega_controlplane.app.routing.views import ChangeView, Replays, ReplayView, Simulation
from bodega_controlplane.app.views import PageRequest
from bodega_controlplane.rules.routing_tally import Tally
from bodega_controlplane.store import orders, routing
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

_PAGE_DEFAULT = 50


def simulate(tx: Transaction, bundle: Bundle, page: PageRequest, *, since_ms: int = 0) -> Simulation:
    """A page of what was decided, as it was recorded and as this bundle would have it; the newest first.

    Raises InvalidInput for a token that is none.
    """
    rows, token = _page(tx, page, since_ms)
    before, after = Tally(), Tally()
    changes: list[ChangeView] = []
    left_out = 0
    for row in rows:
        try:
            inputs, was = records.inputs_of(row), records.choice_of(row)
        except BodegaError:
            inputs = None
        if inputs is None:
            left_out += 1
            continue
        would_be = decide(bundle, inputs)
        before.add(inputs, was)
        after.add(inputs, would_be)
        if was.shares != would_be.shares:
            changes.append(ChangeView(row.decision_id, row.order_id, was.shares, would_be.shares))
    total = 0 if page.token else routing.count_decisions(tx, since_ms)
    return Simulation(bundles.view(bundle), before, after, tuple(changes), left_out, total, token)


def replay_order(tx: Transaction, order_id: str) -> Replays:
    """Every decision about an order, made again. Raises NotFound."""
    rows = routing.decisions_of(tx, order_id)
    if not rows and not orders.by_ids(tx, [order_id]):
        raise NotFound(f"there is no order '{order_id[:80]}'", hint="list the orders: bodegactl orders ls")
    return Replays(_again(tx, rows), len(rows))


def replay(tx: Transaction, page: PageRequest, *, since_ms: int = 0) -> Replays:
    """A page of decisions, made again; the newest first. Raises InvalidInput for a token that is none."""
    rows, token = _page(tx, page, since_ms)
    total = 0 if page.token else routing.count_decisions(tx, since_ms)
    return Replays(_again(tx, rows), total, token)


def _page(tx: Transaction, page: PageRequest, since_ms: int) -> tuple[list[Row], str]:
    limit = min(page.size or _PAGE_DEFAULT, ROUTING_DECISIONS_PER_PAGE_MAX)
    key = key_of(page.token, int, str)
    after = (int(key[0]), str(key[1])) if key else None
    rows = routing.decisions(tx, since_ms, after, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], token_after(last.decided_at_ms, last.decision_id) if last is not None else ""


def _again(tx: Transaction, rows: list[Row]) -> tuple[ReplayView, ...]:
    @cache
    def bundle_of(digest: str) -> Bundle:
        return bundles.find(tx, digest)

    return tuple(ReplayView(row.decision_id, row.order_id, *_replayed(row, bundle_of)) for row in rows)


def _replayed(row: Row, bundle_of: Callable[[str], Bundle]) -> tuple[str, str]:
    try:
        inputs, recorded = records.inputs_of(row), records.choice_bytes(row)
    except BodegaError as error:
        return "differs", error.message
    if inputs is None:
        return "erased", "where it went to is not kept any more"
    try:
        bundle = bundle_of(row.digest)
    except BodegaError as error:
        return "not_recorded", error.message
    return compared(recorded, choice_to_rows(decide(bundle, inputs)))

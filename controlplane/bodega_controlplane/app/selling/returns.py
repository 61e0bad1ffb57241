"""Goods that customers of a channel send back: agreed to here, graded at a node, refunded by the channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from bodega.errors import NotFound
from bodega.v1 import floor_pb2
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.goods.expecting import expect_return
from bodega_controlplane.app.paging import key_of, limit_of, token_after
from bodega_controlplane.app.selling import own_orders
from bodega_controlplane.app.selling.views import ReturnDraft, ReturnLineView, ReturnState, ReturnView
from bodega_controlplane.app.views import Caller, Page, PageRequest
from bodega_controlplane.store import nodes, parcels
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


def agree(tx: Transaction, caller: Caller, order_id: str, draft: ReturnDraft) -> ReturnView:
    """Agree to a return, and tell the node that takes it.

    Raises NotFound, InvalidInput, Refused ("nothing-to-return").
    """
    own_orders.one_of(tx, caller, order_id)
    faults = Faults()
    if draft.node_id and nodes.by_id(tx, draft.node_id) is None:
        faults.add("node_id", f"is no node: '{draft.node_id[:80]}'")
    faults.raise_if_any("the return")
    lines = [floor_pb2.NoticeLine(sku_id=one.sku_id, quantity=one.quantity) for one in draft.lines]
    _, expected = expect_return(tx, caller, order_id, draft.node_id, lines)
    return get_return(tx, caller, expected.return_id)


def get_return(tx: Transaction, caller: Caller, return_id: str) -> ReturnView:
    """One return. Raises NotFound, also for one of another channel."""
    order_ids = parcels.orders_of_return(tx, caller.channel, return_id)
    found = [one for one in _views(tx, order_ids) if one.return_id == return_id]
    if not found:
        raise NotFound(f"there is no return '{return_id[:80]}'", hint="list them: GET /v1/returns")
    return found[0]


def returns_of(tx: Transaction, caller: Caller, order_id: str) -> tuple[ReturnView, ...]:
    """What comes back of an order. Raises NotFound."""
    own_orders.one_of(tx, caller, order_id)
    return _views(tx, [order_id])


def list_returns(tx: Transaction, caller: Caller, page: PageRequest) -> Page[ReturnView]:
    """The channel's returns, newest first. Raises InvalidInput for a token that is none."""
    limit = limit_of(page.size)
    key = key_of(page.token, str)
    rows = parcels.page_of_returns(tx, caller.channel, str(key[0]) if key else "", limit + 1)
    wanted = [row.return_id for row in rows[:limit]]
    known = {one.return_id: one for one in _views(tx, [row.order_id for row in rows[:limit]])}
    token = token_after(wanted[-1]) if len(rows) > limit else ""
    return Page(tuple(known[return_id] for return_id in wanted), token)


def _views(tx: Transaction, order_ids: Sequence[str]) -> tuple[ReturnView, ...]:
    """By return id. One that came to another node than was agreed has a row of each."""
    found: dict[str, list[Row]] = {}
    for row in parcels.returns_of(tx, order_ids):
        found.setdefault(row.return_id, []).append(row)
    due: dict[str, list[Row]] = {}
    for row in parcels.refunds_of(tx, found.keys()):
        due.setdefault(row.return_id, []).append(row)
    return tuple(_view(rows, due.get(return_id, [])) for return_id, rows in found.items())


def _view(rows: Sequence[Row], due: Sequence[Row]) -> ReturnView:
    return ReturnView(
        return_id=rows[0].return_id,
        order_id=rows[0].order_id,
        state=_furthest(ReturnState(row.state) for row in rows),
        node_ids=tuple(row.node_id for row in rows),
        expected=_lines(row.expected for row in rows),
        received=_lines(row.lines for row in rows),
        refund_due=_lines(row.lines for row in due),
        updated_at_ms=max(row.changed_at_ms for row in rows),
    )


def _furthest(states: Iterable[ReturnState]) -> ReturnState:
    """What is being looked at anywhere is not done; what is only expected has not come there."""
    there = set(states)
    return next(
        state for state in (ReturnState.OPEN, ReturnState.CLOSED, ReturnState.EXPECTED) if state in there
    )


def _lines(kept: Iterable[str]) -> tuple[ReturnLineView, ...]:
    return tuple(
        ReturnLineView(
            line["sku_id"], line.get("quantity", 0), line.get("grade", ""), line.get("disposition", "")
        )
        for text in kept
        for line in json.loads(text)
    )

"""Drafts become events: one step after the commit, alone of all instances, so that numbers have no gaps.

Who polls by number can never pass over an event: a number is given only to what is committed, and whoever gives
numbers commits before the next one begins. What an event tells is read now; what it is about was fixed with the
change. A SKU is told of when its numbers differ from those told last, and not more often than STOCK_TOLD_EVERY_MS.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bodega.limits_events import (
    EVENT_BODY_BYTES_MAX,
    EVENT_DRAFTS_PER_COMMIT_MAX,
    EVENT_PARCELS_MAX,
    STOCK_TOLD_EVERY_MS,
    STOCK_TOLD_SKUS_PER_COMMIT_MAX,
)
from bodega_controlplane.rules import telling as rules
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import events, orders, stock, webhooks
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

Data = dict[str, Any]


class Told(NamedTuple):
    """An event before it has its number."""

    type: str
    channel: str
    subject: str
    data: Data
    at_ms: int


def any_due(tx: Transaction, now_ms: int) -> bool:
    """Whether `number` would find something to look at."""
    return events.any_draft(tx) or bool(events.stock_due(tx, now_ms - STOCK_TOLD_EVERY_MS, 1))


def number(tx: Transaction, now_ms: int, policy: Policy) -> int:
    """Turn drafts into events; how many drafts and SKUs were looked at, so 0 means that there is nothing left."""
    events.lock(tx)
    drafts = events.take_drafts(tx, EVENT_DRAFTS_PER_COMMIT_MAX)
    known = _Known(tx, drafts)
    told = [one for draft in drafts for one in _told(known, draft, now_ms)]
    events.stock_may_differ(tx, known.skus, now_ms)
    due = events.stock_due(tx, now_ms - STOCK_TOLD_EVERY_MS, STOCK_TOLD_SKUS_PER_COMMIT_MAX)
    told += _stock(tx, due, now_ms, policy)
    first = events.head(tx) + 1
    events.append(tx, [_row(seq, one, now_ms) for seq, one in enumerate(told, start=first)])
    return len(drafts) + len(due)


def _row(seq: int, told: Told, now_ms: int) -> Data:
    data = _json(told.data)
    if len(data) > EVENT_BODY_BYTES_MAX:
        # Whoever wants its lines can read the thing itself.
        data = _json({name: value for name, value in told.data.items() if not isinstance(value, list)})
    return {
        "seq": seq,
        "event_id": f"evt_{seq}_{secrets.token_hex(4)}",
        "type": told.type,
        "channel": told.channel,
        "subject": told.subject,
        "data": data,
        "at_ms": told.at_ms,
        "numbered_at_ms": now_ms,
    }


def _json(data: Data) -> str:
    return json.dumps(data, separators=(",", ":"))


class _Known:
    """What the drafts of one step are about, read at once."""

    def __init__(self, tx: Transaction, drafts: Sequence[Row]) -> None:
        self._tx = tx
        self.works = events.works(tx, _subjects(drafts, "work"))
        self.returns = {
            draft.subject: _return_row(tx, draft) for draft in drafts if draft.kind in _GOODS_BACK
        }
        ids = _subjects(drafts, "placed", "order") | {work.order_id for work in self.works.values()}
        ids |= _orders_of_parts(drafts)
        ids |= {row.order_id for row in self.returns.values() if row is not None and row.order_id}
        self.orders = events.orders_of(tx, ids)
        self.lines = orders.lines_of(tx, ids)
        self.part_lines = orders.part_lines_of(tx, _orders_of_parts(drafts))
        self.parcels = events.parcels_of(tx, self.works)
        self.skus = _subjects(drafts, "stock")
        for draft in drafts:
            if draft.kind == "stocks":
                self.skus |= set(json.loads(draft.word))
            elif draft.kind in _MOVES_PROMISES:
                # A promise was made or has ended: what may be promised of its SKUs is another number.
                self.skus |= {line.sku_id for line in self.lines.get(self._order_id(draft), ())}

    def _order_id(self, draft: Row) -> str:
        work = self.works.get(draft.subject)
        return str(work.order_id) if work is not None else str(draft.subject)

    def webhook(self, webhook_id: str) -> Row | None:
        """An endpoint, if it is still there."""
        return webhooks.by_id(self._tx, webhook_id)


def _orders_of_parts(drafts: Iterable[Row]) -> set[str]:
    return {subject.partition("/")[0] for subject in _subjects(drafts, "part")}


_GOODS_BACK = ("return", "refund")
_MOVES_PROMISES = ("placed", "order", "work")


def _subjects(drafts: Iterable[Row], *kinds: str) -> set[str]:
    return {draft.subject for draft in drafts if draft.kind in kinds}


def _return_row(tx: Transaction, draft: Row) -> Row | None:
    node_id, _, return_id = draft.subject.partition("/")
    return (events.refund_of if draft.kind == "refund" else events.return_of)(tx, node_id, return_id)


def _told(known: _Known, draft: Row, now_ms: int) -> list[Told]:
    types = rules.types_of(draft.kind, draft.word)
    about = _ABOUT[draft.kind](known, draft) if types else None
    if about is None:
        return []
    channel, subject, data = about
    return [Told(kind, channel, subject, data, draft.at_ms or now_ms) for kind in types]


About = tuple[str, str, Data]


def _of_order(known: _Known, draft: Row) -> About | None:
    order = known.orders.get(draft.subject)
    if order is None:
        return None
    data = {
        **_names(order, "order_id", "reference", "channel", "node_id", "method", "service_class"),
        "state": draft.word,
        "lines": [
            _names(line, "line", "kit_line", "sku_id", "quantity", "shipped", "short")
            for line in known.lines.get(order.order_id, ())
        ],
    }
    return order.channel, order.order_id, data


def _of_part(known: _Known, draft: Row) -> About | None:
    order_id, _, part = draft.subject.partition("/")
    order = known.orders.get(order_id)
    if order is None:
        return None
    lines = [one for one in known.part_lines.get(order_id, ()) if one.part == int(part)]
    data = {
        **_names(order, "order_id", "reference", "channel"),
        "part": int(part),
        "state": draft.word,
        "lines": [_names(line, "line", "quantity") for line in lines],
    }
    return order.channel, order_id, data


def _of_work(known: _Known, draft: Row) -> About | None:
    work = known.works.get(draft.subject)
    order = known.orders.get(work.order_id) if work is not None else None
    if work is None or order is None:
        return None
    parcels = known.parcels.get(draft.subject, [])[:EVENT_PARCELS_MAX]
    data = {
        **_names(work, "fulfillment_order_id", "order_id", "part", "node_id"),
        **_names(order, "reference", "channel"),
        "state": draft.word,
        "parcels": [_names(one, "sscc", "carrier", "service", "tracking_number") for one in parcels],
    }
    return order.channel, order.order_id, data


def _of_goods_back(known: _Known, draft: Row) -> About | None:
    row = known.returns.get(draft.subject)
    if row is None:
        return None
    order = known.orders.get(row.order_id)
    data = {
        **_names(row, "return_id", "order_id", "node_id"),
        "reference": order.reference if order is not None else "",
        "state": draft.word or "due",
        "lines": [_came_back(line) for line in json.loads(row.lines)],
    }
    return order.channel if order is not None else "", row.return_id, data


def _came_back(line: Mapping[str, Any]) -> Data:
    return {
        "sku_id": line.get("sku_id", ""),
        "quantity": line.get("quantity", 0),
        "grade": line.get("grade", ""),
        "disposition": line.get("disposition", ""),
    }


def _of_webhook(known: _Known, draft: Row) -> About | None:
    row = known.webhook(draft.subject)
    return (row.channel, row.webhook_id, _names(row, "webhook_id", "reason")) if row is not None else None


_ABOUT = {
    "placed": _of_order,
    "order": _of_order,
    "work": _of_work,
    "part": _of_part,
    "return": _of_goods_back,
    "refund": _of_goods_back,
    "webhook": _of_webhook,
}


def _names(row: Row, *names: str) -> Data:
    return {name: getattr(row, name) for name in names}


def _stock(tx: Transaction, due: Sequence[Row], now_ms: int, policy: Policy) -> list[Told]:
    """What there is of each SKU over all nodes, where that is another number than the one told last."""
    if not due:
        return []
    levels = stock.levels(tx, {row.sku_id for row in due}, policy.safety_stock)
    sums = {
        row.sku_id: {"sku_id": row.sku_id, **levels.get(row.sku_id, stock.Level())._asdict()} for row in due
    }
    texts = {sku_id: _json(data) for sku_id, data in sums.items()}
    changed = {row.sku_id for row in due if texts[row.sku_id] != row.told}
    rows = [
        {
            "sku_id": row.sku_id,
            "told": texts[row.sku_id],
            "told_at_ms": now_ms if row.sku_id in changed else row.told_at_ms,
            "changed_at_ms": 0,
        }
        for row in due
    ]
    events.save_told(tx, rows)
    return [
        Told(rules.STOCK_CHANGED, "", row.sku_id, sums[row.sku_id], row.changed_at_ms)
        for row in due
        if row.sku_id in changed
    ]

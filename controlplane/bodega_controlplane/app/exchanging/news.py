"""News of orders for a shop that reads files: what was sent with which tracking number, and what will not be.

What a shop is told is noted in the transaction that makes the file, and the file is written afterwards, under its
number: nothing is told twice under two names, and nothing is forgotten.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from bodega.core.lifecycles import OrderState
from bodega.limits import TEXT_CHARS_MAX
from bodega.limits_hub import EXCHANGE_OVERLAP_S, EXCHANGE_TOLD_ORDERS_MAX
from bodega_controlplane.store import exchange
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

HEADER = (
    "reference",
    "order_id",
    "state",
    "line",
    "sku_id",
    "ordered",
    "shipped",
    "not_found",
    "carrier",
    "service",
    "tracking_numbers",
    "parcels",
)

# While an order is in one of these and nothing of it was sent, a shop has nothing to do.
QUIET = frozenset(
    {
        OrderState.CONFIRMED,
        OrderState.IN_FULFILLMENT,
        OrderState.CANCEL_REQUESTED,
        OrderState.HANDED_BACK,
        OrderState.BACKORDERED,
        OrderState.PREORDERED,
    }
)


def there_are_some(tx: Transaction, channel: str) -> bool:
    """Whether an order has changed since the shop was told of it, or of that there is nothing to tell."""
    return bool(_changed(tx, channel, 1))


def _changed(tx: Transaction, channel: str, limit: int) -> list[Row]:
    """It looks back EXCHANGE_OVERLAP_S from what was told last: another instance may commit later than we."""
    since_ms = max(0, exchange.last_told_ms(tx, channel) - EXCHANGE_OVERLAP_S * 1000)
    return exchange.changed_orders(tx, channel, since_ms, limit)


def gather(tx: Transaction, channel: str, now_ms: int) -> None:
    """Make a file of what the shop does not know yet, of EXCHANGE_TOLD_ORDERS_MAX orders at most."""
    exchange.lock(tx)
    changed = _changed(tx, channel, EXCHANGE_TOLD_ORDERS_MAX)
    if not changed:
        return  # another instance has told it
    ids = [row.order_id for row in changed]
    lines, parcels = exchange.lines_of(tx, ids), exchange.parcels_of(tx, ids)
    told: list[Mapping[str, object]] = []
    cells: list[tuple[object, ...]] = []
    for row in changed:
        of_lines, of_parcels = lines.get(row.order_id, []), parcels.get(row.order_id, [])
        word = _word(row, of_lines, of_parcels)
        told.append({"channel": channel, "order_id": row.order_id, "word": word, "at_ms": row.updated_at_ms})
        if word and word != row.word:
            cells += _rows(row, of_lines, of_parcels)
    exchange.tell(tx, told)
    if cells:
        exchange.add_file(tx, channel, _csv(cells), now_ms)


def _word(order: Row, lines: Sequence[Row], parcels: Sequence[Row]) -> str:
    """What is worth a row: the state, the units, the parcels; empty if there is nothing to tell."""
    shipped = sum(one.shipped for one in lines)
    if order.state in QUIET and not shipped:
        return ""
    numbers = " ".join(one.tracking_number or one.sscc for one in parcels)
    return f"{order.state} {shipped} {numbers}"[:TEXT_CHARS_MAX]


def _rows(order: Row, lines: Sequence[Row], parcels: Sequence[Row]) -> Iterable[tuple[object, ...]]:
    of_parcels = tuple(
        " ".join(dict.fromkeys(getattr(one, name) for one in parcels if getattr(one, name)))
        for name in ("carrier", "service", "tracking_number", "sscc")
    )
    for one in lines:
        of_line = (one.line, one.sku_id, one.quantity, one.shipped, one.short)
        yield (order.reference, order.order_id, order.state, *of_line, *of_parcels)


def _csv(rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerows(rows)
    return text.getvalue().encode()


def file_name(number: int) -> str:
    """Names sort as the files were made."""
    return f"shipments-{number:09}.csv"

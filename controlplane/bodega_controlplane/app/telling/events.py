"""Events read by cursor: whoever has missed a webhook, or wants none, asks for what came after the last one he has."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bodega.errors import FieldFault, InvalidInput
from bodega.limits_events import (
    EVENT_TYPES_PER_WEBHOOK_MAX,
    EVENTS_KEPT_S,
    EVENTS_SCANNED_PER_PAGE_MAX,
    EVENTS_TRIMMED_ROWS_MAX,
    WEBHOOK_DELIVERIES_KEPT_S,
)
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.telling.views import EventPage, event_view
from bodega_controlplane.app.views import Caller, PageRequest
from bodega_controlplane.rules.telling import is_pattern
from bodega_controlplane.store import events, webhooks
from bodega_controlplane.store.events import Wanted
from bodega_controlplane.store.transaction import Transaction

# The cursor of whoever wants nothing of what has been.
LATEST = "latest"
_EVENT_ID = re.compile(r"evt_(\d{1,18})_[0-9a-f]{8}")


def list_events(
    tx: Transaction,
    page: PageRequest,
    *,
    channel: str = "",
    types: Sequence[str] = (),
    types_at: str = "types",
) -> EventPage:
    """Events after `page.token`: an event's id, empty for the oldest kept, or LATEST for none but what comes.

    A channel sees its own and those of nobody in particular; an empty one sees all. Raises InvalidInput for types that
    there are not, whose place is called `types_at`, and with code "cursor-unknown" or "cursor-expired" for a cursor
    that can not be gone on from.
    """
    faults = Faults()
    check_types(faults, types, types_at)
    faults.raise_if_any("the question")
    head = events.head(tx)
    cursor = head if page.token == LATEST else seq_of(tx, page.token)
    limit = limit_of(page.size)
    upto = min(head, max(cursor, events.oldest(tx) - 1) + EVENTS_SCANNED_PER_PAGE_MAX)
    rows = events.after(tx, cursor, upto, Wanted(channel, tuple(types)), limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    # With no more rows, everything up to there has been looked at, whatever its type and channel.
    last = rows[-1] if more else events.at(tx, upto)
    return EventPage(tuple(map(event_view, rows)), last.event_id if last else "", more or upto < head)


def check_types(faults: Faults, types: Sequence[str], where: str = "types") -> None:
    """Each is a type that there is, or the beginning of some with ".*"."""
    faults.count(where, types, 0, EVENT_TYPES_PER_WEBHOOK_MAX)
    for place, one in enumerate(types[:EVENT_TYPES_PER_WEBHOOK_MAX]):
        if not is_pattern(one):
            faults.add(
                f"{where}[{place}]", 'is no type of an event; "order.*" and the like mean all that begin so'
            )


def seq_of(tx: Transaction, event_id: str) -> int:
    """The number of an event, 0 for the empty name. Raises InvalidInput for one that is not kept."""
    if not event_id:
        return 0
    row = events.by_id(tx, event_id)
    if row is not None:
        return int(row.seq)
    known = _EVENT_ID.fullmatch(event_id)
    if known is not None and int(known[1]) < events.oldest(tx):
        raise _unknown("cursor-expired", "is of an event that is no longer kept")
    raise _unknown("cursor-unknown", "is not the id of an event")


def _unknown(code: str, problem: str) -> InvalidInput:
    return InvalidInput(
        f"the cursor {problem}",
        code=code,
        hint="read what you need anew (the orders), then go on from the oldest event kept, without a cursor",
        faults=(FieldFault("after", problem),),
    )


def trim(tx: Transaction, caller: Caller) -> None:
    """Forget events and deliveries that are older than we keep them, a slice at a time."""
    events.trim(tx, caller.now_ms - EVENTS_KEPT_S * 1000, EVENTS_TRIMMED_ROWS_MAX)
    webhooks.trim_deliveries(tx, caller.now_ms - WEBHOOK_DELIVERIES_KEPT_S * 1000, EVENTS_TRIMMED_ROWS_MAX)

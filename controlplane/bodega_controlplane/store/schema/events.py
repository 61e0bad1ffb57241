"""Tables of what is told to the world outside: drafts, events, webhooks, deliveries; and which changes leave drafts.

A draft is left by a trigger, in the transaction of the change itself, whatever path led to it (`TELLERS`). One step
after the commit turns drafts into events and numbers them without gaps (`app.telling.numbering`). Nothing here is
personal.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, text


def _counted(name: str) -> sa.Column[int]:
    """A key that the database counts; with gaps, and not in the order of commits."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, number, primary_key=True, autoincrement=True)


# Something has changed that somebody may want to hear of. `at_ms` 0: when it is read.
event_draft = sa.Table(
    "event_draft",
    metadata,
    _counted("draft_id"),
    text("kind"),
    text("subject"),
    text("word"),
    integer("at_ms"),
)

# `seq` has no gaps and rises in the order of commits. `event_id` names the same event for ever, even where a restored
# hub counts again from an older number. `channel` empty: for all of them. `data` is JSON.
event = sa.Table(
    "event",
    metadata,
    integer("seq", key=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    text("type"),
    text("channel"),
    text("subject"),
    text("data"),
    integer("at_ms"),
    integer("numbered_at_ms"),
)
sa.Index("event_by_age", event.c.numbered_at_ms)

# What was told of a SKU last, and since when there may be something new (0: there is not).
stock_told = sa.Table(
    "stock_told",
    metadata,
    text("sku_id", key=True),
    text("told"),
    integer("told_at_ms"),
    integer("changed_at_ms"),
)
sa.Index(
    "stock_told_due",
    stock_told.c.told_at_ms,
    sqlite_where=stock_told.c.changed_at_ms > 0,
    postgresql_where=stock_told.c.changed_at_ms > 0,
)

# An address that is called with events. `secret` and `old_secret` are sealed (`vault.py`), and are shown once.
# `cursor_seq`: everything up to here was taken. `attempts`: how often the next one has failed in a row.
# `next_attempt_ms`: before then it is not called again; where nothing has failed, when it was called last.
# `lease`: whose run it is until `lease_until_ms`. `version` rises with what its owner may see.
webhook = sa.Table(
    "webhook",
    metadata,
    text("webhook_id", key=True),
    text("channel"),
    text("url"),
    text("description"),
    text("types"),
    text("secret"),
    text("old_secret"),
    integer("old_secret_until_ms"),
    text("state"),
    text("reason"),
    integer("cursor_seq"),
    integer("attempts"),
    integer("failing_since_ms"),
    integer("next_attempt_ms"),
    text("lease"),
    integer("lease_until_ms"),
    integer("version"),
    integer("created_at_ms"),
    integer("updated_at_ms"),
)

# One attempt. `status` 0: there was no answer, and `problem` says why.
webhook_delivery = sa.Table(
    "webhook_delivery",
    metadata,
    _counted("delivery_id"),
    text("webhook_id"),
    text("event_id"),
    text("type"),
    integer("attempt"),
    integer("at_ms"),
    integer("duration_ms"),
    integer("status"),
    text("problem"),
)
sa.Index("webhook_delivery_newest", webhook_delivery.c.webhook_id, webhook_delivery.c.delivery_id)
sa.Index("webhook_delivery_by_age", webhook_delivery.c.at_ms)

EVENT_TABLES = (event_draft, event, stock_told, webhook, webhook_delivery)


class Teller(NamedTuple):
    """A change of a table that leaves a draft of `kind`; `subject`, `word` and `at_ms` are SQL, as is `when`."""

    name: str
    table: str
    change: str
    kind: str
    subject: str
    word: str = "''"
    at_ms: str = "0"
    when: str = ""


_GOES_ON = "OLD.state <> NEW.state"
_SKU = "NEW.sku_id"
_RETURN = "NEW.node_id || '/' || NEW.return_id"
_ORDER = ("NEW.order_id", "NEW.state")
_WORK = ("work", "NEW.fulfillment_order_id", "NEW.state", "NEW.updated_at_ms")
_PART = ("part", "NEW.order_id || '/' || NEW.part", "NEW.state", "NEW.changed_at_ms")
_GOODS_BACK = ("return", _RETURN, "NEW.state", "NEW.changed_at_ms")
_RIGHTS_MOVED = "OLD.held + OLD.in_flight <> NEW.held + NEW.in_flight"

TELLERS = (
    Teller("order_comes", "orders", "INSERT", "placed", *_ORDER, "NEW.placed_at_ms"),
    Teller("order_goes_on", "orders", "UPDATE OF state", "order", *_ORDER, "NEW.updated_at_ms", _GOES_ON),
    Teller("work_comes", "fulfillment_order", "INSERT", *_WORK),
    Teller("work_goes_on", "fulfillment_order", "UPDATE OF state", *_WORK, _GOES_ON),
    Teller("part_comes", "order_part", "INSERT", *_PART),
    Teller("part_goes_on", "order_part", "UPDATE OF state", *_PART, _GOES_ON),
    Teller("return_comes", "customer_return", "INSERT", *_GOODS_BACK),
    Teller("return_goes_on", "customer_return", "UPDATE OF state", *_GOODS_BACK, _GOES_ON),
    Teller("refund_comes", "refund", "INSERT", "refund", _RETURN, "''", "NEW.at_ms"),
    Teller(
        "webhook_goes_on",
        "webhook",
        "UPDATE OF state",
        "webhook",
        "NEW.webhook_id",
        "NEW.state",
        "NEW.updated_at_ms",
        _GOES_ON,
    ),
    # What may be promised changes with these, too; what lies on the shelves is told by `store.events.note_stock`.
    Teller("rights_come", "node_rights", "INSERT", "stock", _SKU),
    Teller("rights_move", "node_rights", "UPDATE OF held, in_flight", "stock", _SKU, when=_RIGHTS_MOVED),
    Teller("lot_is_past", "lot", "UPDATE OF past", "stock", _SKU, when="OLD.past <> NEW.past"),
    Teller("hold_comes", "rule_override", "INSERT", "stock", _SKU),
    Teller("hold_goes_on", "rule_override", "UPDATE OF state", "stock", _SKU, when=_GOES_ON),
)

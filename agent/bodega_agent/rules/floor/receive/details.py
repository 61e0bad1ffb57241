"""Lot and expiry of goods whose code does not carry them: a person reads them from the box and types them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bodega.limits_floor import LOT_CHARS_MAX
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.receive.doing import Fresh
from bodega_agent.rules.floor.receive.facts import ReceiveFacts
from bodega_agent.rules.floor.receive.taking import doing_of, take
from bodega_agent.rules.floor.scans import NumberScan, TextScan
from bodega_agent.rules.floor.session import FloorStep, Session

_CENTURY = 2000


def lot(session: Session, scan: TextScan, facts: ReceiveFacts) -> Answer:
    """The lot of what was scanned last, as it stands on the box."""
    text = scan.text.strip()
    if not (0 < len(text) <= LOT_CHARS_MAX and text.isascii() and text.isprintable()):
        return refuse(session, facts, f"A lot has 1 to {LOT_CHARS_MAX} plain characters.")
    doing = doing_of(session)
    fresh = replace(_unread(session), lot=text)
    if facts.lacks_expiry:
        unread = replace(doing, fresh=fresh)
        return say(session.at(FloorStep.RECEIVE_EXPIRY, doing=unread), facts, f"Lot {text} is new.")
    return _receive(session, facts, fresh)


def expiry(session: Session, scan: NumberScan, facts: ReceiveFacts) -> Answer:
    """The last day of a new lot as YYMMDD; day 00 is the last of the month, as in GS1 AI 17."""
    day = _day_of(scan.value)
    if day is None:
        return refuse(session, facts, f"{scan.value:06} is no day: year, month and day, such as 270131.")
    return _receive(session, facts, _unread(session), day.isoformat())


def _unread(session: Session) -> Fresh:
    fresh = doing_of(session).fresh
    assert fresh is not None, "something was scanned before its lot or expiry is asked for"
    return fresh


def _receive(session: Session, facts: ReceiveFacts, fresh: Fresh, expiry: str = "") -> Answer:
    doing, facts, said, effects = take(doing_of(session), facts, fresh, fresh.quantity, expiry=expiry)
    return say(session.at(FloorStep.RECEIVE_ITEM, doing=doing), facts, said, effects=effects)


def _day_of(yymmdd: int) -> date | None:
    year, month, day = _CENTURY + yymmdd // 10_000, yymmdd // 100 % 100, yymmdd % 100
    try:
        if day:
            return date(year, month, day)
        first_of_next = date(year + month // 12, month % 12 + 1, 1) if 1 <= month <= 12 else None  # months
    except ValueError:
        return None
    return first_of_next - timedelta(days=1) if first_of_next else None

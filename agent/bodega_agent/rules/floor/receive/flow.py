"""Receiving as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.receive import apart, details, pallets, steps
from bodega_agent.rules.floor.receive.facts import Delivery, ReceiveFacts
from bodega_agent.rules.floor.receive.taking import doing_of
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan
from bodega_agent.rules.floor.words import Word

S = FloorStep
_LINES_SHOWN = 3


def _item(session: Session, facts: ReceiveFacts) -> Shown:
    delivery, unit = facts.delivery, doing_of(session).unit
    detail: tuple[str, ...] = (f"onto pallet {unit}",) if unit else ()
    text = "Scan what came in, or CMD-DONE."
    if delivery is None or not delivery.notice_id:
        return Shown(Tone.OK, text, detail, Expect(ExpectKind.ITEM))
    missing = delivery.missing
    if not missing:
        return Shown(
            Tone.OK,
            "All announced goods are in. CMD-DONE closes.",
            detail,
            Expect(ExpectKind.CONTROL, ("CMD-DONE",)),
        )
    detail += (_progress(delivery), *_to_come(delivery))
    following = missing[0]
    expect = Expect(ExpectKind.ITEM, delivery.gtins, sku_id=following.sku_id, quantity=following.open)
    return Shown(Tone.OK, text, detail, expect)


def _progress(delivery: Delivery) -> str:
    expected = sum(line.expected for line in delivery.lines)
    of = f" of {delivery.supplier}" if delivery.supplier else ""
    return f"notice {delivery.notice_id}{of}: {delivery.received} of {expected} units"


def _to_come(delivery: Delivery) -> tuple[str, ...]:
    shown = tuple(
        f"to come: {units(line.open, line.name)}" + (f", lot {line.lot}" if line.lot else "")
        for line in delivery.missing[:_LINES_SHOWN]
    )
    more = len(delivery.missing) - len(shown)
    return (*shown, f"and {more} lines more") if more > 0 else shown


def _lot(session: Session, _facts: ReceiveFacts) -> Shown:
    text = "Scan the code that carries the lot (AI 10), or type the lot."
    return Shown(Tone.ASK, text, _fresh(session), Expect(ExpectKind.TEXT, sku_id=_sku_of(session)))


def _expiry(session: Session, _facts: ReceiveFacts) -> Shown:
    text = "Scan the code that carries its expiry (AI 17), or type it as YYMMDD."
    return Shown(Tone.ASK, text, _fresh(session), Expect(ExpectKind.NUMBER, sku_id=_sku_of(session)))


def _apart(session: Session, _facts: ReceiveFacts) -> Shown:
    doing = doing_of(session)
    assert doing.fresh is not None, "goods were received before some of them are set apart"
    fresh = doing.fresh
    text = f"How many of {units(fresh.counted, fresh.name)} are {apart.SAID[doing.apart]}? Type the number."
    return Shown(Tone.ASK, text, (), Expect(ExpectKind.NUMBER, sku_id=fresh.sku_id, quantity=fresh.counted))


def _close(_session: Session, facts: ReceiveFacts) -> Shown:
    delivery = facts.delivery
    missing = sum(line.open for line in delivery.missing) if delivery else 0
    text = f"{missing} announced units have not come. Close all the same? yes or no."
    detail = _to_come(delivery) if delivery else ()
    return Shown(Tone.ASK, text, detail, Expect(ExpectKind.WORD, (Word.YES, Word.NO)))


def _fresh(session: Session) -> tuple[str, ...]:
    fresh = doing_of(session).fresh
    return (units(fresh.quantity, fresh.name),) if fresh else ()


def _sku_of(session: Session) -> str:
    fresh = doing_of(session).fresh
    return fresh.sku_id if fresh else ""


_TAKES_ITEM = (S.RECEIVE_ITEM, S.RECEIVE_LOT, S.RECEIVE_EXPIRY)

RECEIVE = Flow(
    "receive",
    {
        (S.IDLE, Kind.RECEIVE): Move(without_scan(steps.start), (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.NOTICE): Move(steps.notice, (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.ITEM): Move(steps.item, _TAKES_ITEM),
        (S.RECEIVE_ITEM, Kind.NUMBER): Move(steps.number, (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.WORD): Move(apart.word, (S.RECEIVE_ITEM, S.RECEIVE_APART)),
        (S.RECEIVE_ITEM, Kind.HOLD): Move(apart.hold, (S.RECEIVE_ITEM, S.RECEIVE_APART)),
        (S.RECEIVE_ITEM, Kind.SSCC): Move(pallets.pallet, (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.PACK): Move(without_scan(pallets.begin), (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.FULL): Move(without_scan(pallets.full), (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.REPRINT): Move(without_scan(pallets.reprint), (S.RECEIVE_ITEM,)),
        (S.RECEIVE_ITEM, Kind.RECEIVE): remind(S.RECEIVE_ITEM),
        (S.RECEIVE_ITEM, Kind.DONE): Move(without_scan(steps.done), (S.IDLE, S.RECEIVE_CLOSE)),
        (S.RECEIVE_LOT, Kind.TEXT): Move(details.lot, (S.RECEIVE_ITEM, S.RECEIVE_EXPIRY, S.RECEIVE_LOT)),
        (S.RECEIVE_LOT, Kind.ITEM): Move(steps.item, _TAKES_ITEM),
        (S.RECEIVE_LOT, Kind.RECEIVE): remind(S.RECEIVE_LOT),
        (S.RECEIVE_LOT, Kind.SKIP): Move(without_scan(steps.skip), (S.RECEIVE_ITEM,)),
        (S.RECEIVE_EXPIRY, Kind.NUMBER): Move(details.expiry, (S.RECEIVE_ITEM, S.RECEIVE_EXPIRY)),
        (S.RECEIVE_EXPIRY, Kind.ITEM): Move(steps.item, _TAKES_ITEM),
        (S.RECEIVE_EXPIRY, Kind.RECEIVE): remind(S.RECEIVE_EXPIRY),
        (S.RECEIVE_EXPIRY, Kind.SKIP): Move(without_scan(steps.skip), (S.RECEIVE_ITEM,)),
        (S.RECEIVE_APART, Kind.NUMBER): Move(apart.how_many, (S.RECEIVE_ITEM, S.RECEIVE_APART)),
        (S.RECEIVE_APART, Kind.RECEIVE): remind(S.RECEIVE_APART),
        (S.RECEIVE_CLOSE, Kind.WORD): Move(steps.close, (S.RECEIVE_ITEM, S.IDLE, S.RECEIVE_CLOSE)),
        (S.RECEIVE_CLOSE, Kind.ITEM): Move(steps.item, (*_TAKES_ITEM, S.RECEIVE_CLOSE)),
        (S.RECEIVE_CLOSE, Kind.DONE): remind(S.RECEIVE_CLOSE),
    },
    {
        S.RECEIVE_ITEM: _item,
        S.RECEIVE_LOT: _lot,
        S.RECEIVE_EXPIRY: _expiry,
        S.RECEIVE_APART: _apart,
        S.RECEIVE_CLOSE: _close,
    },
    steps.settle,
)

"""Commands that bring the book to the truth: a count, an adjustment, a correction of what was recorded."""

from __future__ import annotations

from dataclasses import replace
from itertools import count as numbers

from bodega.codec import movement_from_wire, parse_node_event
from bodega.core import recipes
from bodega.core.commands import Command
from bodega.core.ledger import Account, Goods, Movement
from bodega.core.lifecycles import FULFILLMENT
from bodega.core.recipes import Places
from bodega.errors import NotFound, Refused
from bodega_agent.store import ledger, work
from bodega_agent.store.booking import Json, Work, said
from bodega_agent.store.goods import Known
from bodega_agent.store.transaction import Context, Transaction


def count(tx: Transaction, context: Context, command: Command) -> Json:
    """What lies there is as many as was counted: the difference is booked, and what was open is closed."""
    doing = Work(tx, context, command)
    (known,) = doing.understood()
    goods = known.goods
    place = Account(goods.sku_id, command.bin_id, command.disposition, goods.lot, goods.owner)
    book_quantity = ledger.balance_of(tx, place)
    if known.sku.serial_tracked:
        _count_serials(doing, known, place)
    _settle(doing, known, place, goods.quantity - ledger.balance_of(tx, place))
    opened = tx.execute(
        "SELECT seq FROM discrepancy WHERE bin = ? AND sku_id = ? AND lot = ? AND closed_seq = 0 ORDER BY seq",
        (command.bin_id, goods.sku_id, goods.lot),
    )
    ledger.close_discrepancies(tx, context, [row[0] for row in opened], "counted")
    return doing.result(goods=[said(known)], book=book_quantity, difference=goods.quantity - book_quantity)


def _count_serials(doing: Work, known: Known, place: Account) -> None:
    """The named units are there, and no others: those that the book has elsewhere in the node leave there."""
    named, here = set(known.goods.serials), set(ledger.serials_at(doing.tx, place))
    gone, new = sorted(here - named), sorted(named - here)
    _settle(doing, known, place, -len(gone), tuple(gone))
    keys = [(place.sku_id, serial) for serial in new]
    for (_sku_id, serial), elsewhere in ledger.where_serials_are(doing.tx, keys).items():
        if elsewhere.is_physical:
            _settle(doing, known, elsewhere, -1, (serial,))
    _settle(doing, known, place, len(new), tuple(new))


def _settle(
    doing: Work, known: Known, place: Account, difference: int, serials: tuple[str, ...] = ()
) -> None:
    """Book what a count found to be more or less than the book has at a place."""
    if not difference:
        return
    goods = Goods(place.sku_id, abs(difference), place.lot, place.owner, serials)
    at = Places(place.bin, place.bin, place.disposition, place.disposition)
    name = "count_up" if difference > 0 else "count_down"
    doing.book(name, [replace(known, goods=goods)], at, reason=doing.command.reason or "count")


def adjust(tx: Transaction, context: Context, command: Command) -> Json:
    """More or less of something than the book says, for a reason that a person gives."""
    doing = Work(tx, context, command)
    (known,) = doing.understood()
    change = known.goods.quantity
    goods = replace(known.goods, quantity=abs(change))
    places = Places(command.bin_id, command.bin_id, command.disposition, command.disposition)
    doing.book("adjust_up" if change > 0 else "adjust_down", [replace(known, goods=goods)], places)
    return doing.result(goods=[said(known)])


def correct(tx: Transaction, context: Context, command: Command) -> Json:
    """Undo one movement by another that names it; once, and never behind the back of an open order."""
    seq, movement = _movement_at(tx, command.event)
    before = tx.one("SELECT seq FROM correction WHERE corrected_seq = ?", (seq,))
    if before is not None:
        raise Refused(
            f"event {command.event} was corrected already, by event {before[0]}",
            code="corrected-already",
            hint=f"to take that back, correct event {tx.head.epoch}/{before[0]}",
        )
    order = work.find_or_none(tx, movement.reference.fulfillment_order_id)
    if order is not None and order.state not in FULFILLMENT.terminal:
        raise Refused(
            f"event {command.event} serves order {order.fulfillment_order_id}, which is {order.state}",
            hint="finish the order on the floor, or cancel it; then correct what is left",
        )
    arrived = [posting for posting in movement.postings if posting.quantity > 0]
    goods = [Goods(account.sku_id, quantity, serials=serials) for account, quantity, serials in arrived]
    held = ledger.held_at(tx, goods, *(account.bin for account, _, _ in arrived))
    doing = Work(tx, context, command)
    doing.record(recipes.correct(movement, command.event, held, reason=command.reason))
    tx.execute("INSERT INTO correction(corrected_seq, seq) VALUES (?, ?)", (seq, doing.seqs[0]))
    ledger.close_discrepancies(tx, context, _opened_by(tx, seq), "corrected")
    return doing.result()


def _movement_at(tx: Transaction, event: str) -> tuple[int, Movement]:
    epoch, seq = (int(part) for part in event.split("/"))
    row = tx.one("SELECT body FROM journal WHERE seq = ?", (seq,)) if epoch <= tx.head.epoch else None
    if row is None:
        raise NotFound(
            f"there is no event {event} in the journal",
            hint=f"the newest is {tx.head.epoch}/{tx.head.seq}; older ones may be in an archive",
        )
    message = parse_node_event(row[0])
    fact = message.WhichOneof("fact")
    if fact != "movement":
        raise Refused(
            f"event {event} is no movement but {fact or 'unknown'}",
            hint="only movements of stock are corrected; bodega ledger log shows them",
        )
    return seq, movement_from_wire(message.movement)


def _opened_by(tx: Transaction, seq: int) -> list[int]:
    """Discrepancies that a movement has uncovered, still open: they follow it without a gap."""
    rows = tx.execute("SELECT seq, closed_seq FROM discrepancy WHERE seq > ? ORDER BY seq", (seq,))
    following = zip(numbers(seq + 1), rows, strict=False)
    run = []
    for expected, (opened, closed) in following:
        if opened != expected:
            break
        if not closed:
            run.append(opened)
    return run

"""A count brings the book to what lies there, unless goods moved at that place while it was counted.

`begin` tells the counter where the journal stands; a count that names this basis is held against what moved at
its bin, SKU and lot since (rule `core.conflicts.count_races`). A count without a basis is one of this moment.
"""

from __future__ import annotations

from dataclasses import replace

from bodega.codec import movement_from_wire, parse_node_event
from bodega.core.commands import Command
from bodega.core.conflicts.count_races import Counted, Touch, count_races_movements, disturbing
from bodega.core.ledger import Account, Goods
from bodega.core.recipes import Places
from bodega.errors import FieldFault, InvalidInput
from bodega.limits import COUNT_WINDOW_EVENTS_MAX
from bodega_agent.store import conflicts, count_tasks, counts, ledger
from bodega_agent.store.booking import Json, Work, said
from bodega_agent.store.goods import Known, Understanding
from bodega_agent.store.transaction import Context, Transaction

_ADJUSTMENT = "adjustment:"


def begin(tx: Transaction, _context: Context, command: Command) -> Json:
    """Where the journal stands now, for the counts of a bin that begin now; nothing is recorded."""
    understanding = Understanding(tx, command)
    understanding.places()
    understanding.finish()
    return {
        "command": command.command,
        "seqs": [],
        "goods": [],
        "bin_id": command.bin_id,
        "basis_seq": tx.head.seq,
    }


def count(tx: Transaction, context: Context, command: Command) -> Json:
    """What lies there is as many as was counted: the difference is booked, and what was open is closed.

    If goods moved at the place since the count began, nothing is booked and a recount is asked: the answer says
    `recount` with the task and the conflict.
    """
    doing = Work(tx, context, command)
    (known,) = doing.understood()
    goods = known.goods
    place = Account(goods.sku_id, command.bin_id, command.disposition, goods.lot, goods.owner)
    book_quantity = ledger.balance_of(tx, place)
    window = moved_since(tx, place, command.basis_seq) if command.basis_seq >= 0 else ()
    if window is None or disturbing(window):
        return _recount(doing, known, place, book_quantity, window or ())
    if known.sku.serial_tracked:
        _count_serials(doing, known, place)
    _settle(doing, known, place, goods.quantity - ledger.balance_of(tx, place))
    opened = tx.execute(
        "SELECT seq FROM discrepancy WHERE bin = ? AND sku_id = ? AND lot = ? AND closed_seq = 0 ORDER BY seq",
        (command.bin_id, goods.sku_id, goods.lot),
    )
    ledger.close_discrepancies(tx, context, [row[0] for row in opened], "counted")
    count_tasks.close(tx, context, command.bin_id, goods.sku_id, goods.lot)
    counts.supersede(tx, context, command.bin_id, goods.sku_id, goods.lot)
    return doing.result(goods=[said(known)], book=book_quantity, difference=goods.quantity - book_quantity)


def moved_since(
    tx: Transaction, place: Account, basis_seq: int, *, events_max: int | None = None
) -> tuple[Touch, ...] | None:
    """What touched this bin, SKU and lot after the basis; None if that was too many events ago to look.

    `change` is about the account `place`. Raises InvalidInput for a basis that the journal has not reached.
    """
    events_max = COUNT_WINDOW_EVENTS_MAX if events_max is None else events_max
    if basis_seq > tx.head.seq:
        fault = FieldFault("basis_seq", f"is {basis_seq}, the journal ends at {tx.head.seq}")
        raise InvalidInput(
            f"a count can not have begun at event {basis_seq}: the journal ends at {tx.head.seq}",
            hint="begin the count again: count_begin",
            faults=(fault,),
        )
    oldest = tx.one("SELECT min(seq) FROM journal")
    kept_from = oldest[0] if oldest and oldest[0] else tx.head.seq + 1
    if tx.head.seq - basis_seq > events_max or basis_seq + 1 < kept_from:
        return None
    # Most events are about other places: SQLite tells them by their bytes, and only the rest is decoded.
    rows = tx.execute(
        "SELECT seq, body FROM journal WHERE seq > ? AND fact = 'movement'"
        " AND instr(body, ?) > 0 AND instr(body, ?) > 0 ORDER BY seq",
        (basis_seq, place.bin.encode(), place.sku_id.encode()),
    )
    return tuple(touch for seq, body in list(rows) if (touch := _touch(tx, seq, body, place)))


def _touch(tx: Transaction, seq: int, body: bytes, place: Account) -> Touch | None:
    movement = movement_from_wire(parse_node_event(body).movement)
    there = [
        (account, quantity)
        for account, quantity, _serials in movement.postings
        if (account.bin, account.sku_id, account.lot) == (place.bin, place.sku_id, place.lot)
    ]
    if not there:
        return None
    change = sum(quantity for account, quantity in there if account == place)
    event = f"{tx.get('node_id')}/{tx.head.epoch}/{seq}"
    adjusts = movement.command == "correct" or any(
        account.external.startswith(_ADJUSTMENT)
        for account, _quantity, _serials in movement.postings
        if (account.sku_id, account.lot) == (place.sku_id, place.lot)
    )
    return Touch(event, movement.command, change, movement.reference.fulfillment_order_id, adjusts)


def _recount(doing: Work, known: Known, place: Account, book: int, window: tuple[Touch, ...]) -> Json:
    """Book nothing: open a task to count the place again, and say why in a conflict."""
    tx, node_id = doing.tx, doing.tx.get("node_id")
    task = count_tasks.open_task(tx, doing.context, place.bin, place.sku_id, place.lot)
    counted = Counted(
        node_id,
        f"{node_id}/{tx.head.epoch}/{task.seq}",
        place.bin,
        place.sku_id,
        place.lot,
        known.goods.quantity,
        doing.command.basis_seq,
    )
    conflict = count_races_movements(counted, window, book)
    conflicts.record(tx, doing.context, conflict)
    doing.seqs += range(task.seq, tx.head.seq + 1)
    recount = {"task_id": task.task_id, "conflict_id": conflict.conflict_id, "why": conflict.knew}
    return doing.result(goods=[said(known)], book=book, recount=recount)


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

"""A round of a count ends, or a lead decides: what is good goes into the ledger's own `count` (`store.counting`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bodega.core.commands import Command
from bodega.core.ledger import DOCK, Account, Disposition
from bodega.core.sku import Line, Sku
from bodega.errors import NotFound
from bodega.limits_floor import COUNT_APPROVAL_EVENTS_MAX
from bodega_agent.rules.floor.count.judge import Holding, Verdict, allot
from bodega_agent.store import catalogue, count_tasks, counting, counts, ledger
from bodega_agent.store.counts import CountRow, LineRow
from bodega_agent.store.transaction import Context, Transaction

Key = tuple[str, str]

# What lies unannounced at a place of that kind is not for sale by itself.
_FOUND_AS = {"quality": Disposition.NOT_SELLABLE, "returns": Disposition.RETURNED}


class Held(NamedTuple):
    """What the book has of one SKU and lot at one place, by disposition."""

    sku: Sku
    holdings: tuple[Holding, ...]

    @property
    def book(self) -> int:
        """Units in all dispositions."""
        return sum(one.quantity for one in self.holdings)


def book_at(tx: Transaction, bin_id: str) -> dict[Key, Held]:
    """(SKU, lot) -> what the book has at a place, as far as a count can name it.

    Left out is what no command can be about: goods of a SKU that the catalogue has lost, of another owner than the
    SKU's, or without the lot that they should have.
    """
    return _by_line(tx, ledger.balances_at(tx, bin_id))


def _by_line(tx: Transaction, balances: Mapping[Account, int]) -> dict[Key, Held]:
    found: dict[Key, Held] = {}
    for account, quantity in sorted(balances.items()):
        sku = catalogue.sku_by_id(tx, account.sku_id)
        if sku is None or sku.owner != account.owner or sku.lot_tracked != bool(account.lot):
            continue
        before = found.get((account.sku_id, account.lot), Held(sku, ()))
        one = Holding(account.disposition, quantity, ledger.serials_at(tx, account))
        found[account.sku_id, account.lot] = before._replace(holdings=(*before.holdings, one))
    return found


def held_of(tx: Transaction, bin_id: str, key: Key) -> Held:
    """One line of `book_at`; nothing held if the book has none. Raises NotFound for a SKU that nobody knows."""
    held = _by_line(tx, ledger.balances_of(tx, key[0], bin_id)).get(key)
    if held is not None:
        return held
    sku = catalogue.sku_by_id(tx, key[0])
    if sku is None:
        raise NotFound(f"'{key[0]}' is in the catalogue no more", hint="bodega stock")
    return Held(sku, ())


def end(tx: Transaction, context: Context, row: CountRow, results: Sequence[LineRow]) -> None:
    """Every line of the round goes where its verdict says, and the hub hears of it."""
    ended = [_ended(tx, context, row, line) for line in results]
    for line in ended:
        counts.judge(tx, line)
    by_state = {
        counts.POSTED: [line for line in ended if line.verdict == Verdict.POST],
        "waits_for_recount": [line for line in ended if line.verdict in {Verdict.MOVED, Verdict.AGAIN}],
        counts.WAITS: [line for line in ended if line.verdict == Verdict.HOLD],
    }
    for state, lines in by_state.items():
        if lines or (not ended and state == counts.POSTED):
            counts.tell(tx, context, row, state, lines)
    if by_state["waits_for_recount"]:
        return
    counts.advance(tx, row.count_id, counts.POSTED)
    if row.covers:
        tx.execute("INSERT OR REPLACE INTO bin_counted(bin, at_ms) VALUES (?, ?)", (row.bin_id, tx.now_ms()))
        count_tasks.close(tx, context, row.bin_id, "", "")


def _ended(tx: Transaction, context: Context, row: CountRow, line: LineRow) -> LineRow:
    if line.verdict in {Verdict.POST, Verdict.MOVED} and not _post(tx, context, row, line, row.basis_seq):
        line = line._replace(verdict=Verdict.MOVED)
    return line._replace(settled_seq=tx.head.seq)


def _post(tx: Transaction, context: Context, row: CountRow, line: LineRow, basis_seq: int) -> bool:
    """The ledger's count of each disposition; False if it asks for a recount, having booked nothing."""
    held = held_of(tx, row.bin_id, (line.sku_id, line.lot))
    for share in _shares(tx, row, line, held):
        command = Command(
            "count",
            context.cmd_id,
            {},
            lines=(Line(share.quantity, line.sku_id, lot=line.lot, serials=share.serials),),
            bin_id=row.bin_id,
            disposition=share.disposition,
            basis_seq=basis_seq,
            reason=row.cause,
        )
        if "recount" in counting.count(tx, context, command):
            return False
    return True


def _shares(tx: Transaction, row: CountRow, line: LineRow, held: Held) -> Iterable[Holding]:
    """Where the counted units are; a disposition that has what it had needs no count, but for the last."""
    named = line.serials if held.sku.serial_tracked else ()
    *others, main = allot(line.counted, named, held.holdings, _found_as(tx, row.bin_id))
    return [*(share for share in others if share not in held.holdings), main]


def _found_as(tx: Transaction, bin_id: str) -> str:
    kind = tx.one("SELECT kind FROM bin WHERE bin_id = ?", (bin_id,))
    if kind is None:
        return Disposition.IN_PROGRESS if bin_id == DOCK else Disposition.SELLABLE
    return _FOUND_AS.get(kind[0], Disposition.SELLABLE)


def place_of(bin_id: str, line: Key, held: Held) -> Account:
    """An account of the line, for what asks about its bin, SKU and lot."""
    return Account(line[0], bin_id, Disposition.SELLABLE, line[1], held.sku.owner)


def still_stands(tx: Transaction, row: CountRow, line: LineRow) -> int | None:
    """What a held line means by now: as many as were counted, less what left and more what came since.

    None if nobody can tell: the book has learned of something at the place since by itself (a short pick, a count, a
    find), or a unit with a serial number has moved. To book the old difference then would deduct it twice.
    """
    key = (line.sku_id, line.lot)
    held = held_of(tx, row.bin_id, key)
    place = place_of(row.bin_id, key, held)
    touches = counting.moved_since(tx, place, line.settled_seq, events_max=COUNT_APPROVAL_EVENTS_MAX)
    if touches is None or any(touch.adjusts for touch in touches) or (touches and held.sku.serial_tracked):
        return None
    quantity = line.counted + held.book - line.book
    return quantity if quantity >= 0 else None


def decide(
    tx: Transaction, context: Context, count_id: str, sku_id: str, lot: str, *, approved: bool
) -> bool:
    """A lead's word on a line that waits; whether it was booked. What was not is to be counted again.

    Raises NotFound if the line waits for nobody any more.
    """
    row, line = counts.find(tx, count_id), counts.held_line(tx, count_id, sku_id, lot)
    if row is None or line is None:
        raise NotFound(
            f"no line {sku_id} {lot}".rstrip() + f" of count {count_id} waits for approval",
            hint="bodega count ls",
        )
    quantity = still_stands(tx, row, line) if approved else None
    counts.decide(tx, context, line, posted=quantity is not None, by=context.actor)
    if quantity is not None:
        return _post(tx, context, row, line._replace(counted=quantity), tx.head.seq)
    if not tx.one(
        "SELECT 1 FROM count_task WHERE bin = ? AND sku_id = ? AND lot = ? AND closed_seq = 0",
        (row.bin_id, sku_id, lot),
    ):
        count_tasks.open_task(tx, context, row.bin_id, sku_id, lot)
    return False

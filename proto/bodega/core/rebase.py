"""A movement recorded again on another book than the one that it was made on: what people moved has moved."""

from __future__ import annotations

from collections import defaultdict

from bodega.core.ledger import FOUND, Account, Goods, Movement, Posting
from bodega.core.recipes import RECIPES, Book, Booking, Draft, without_detours


def book_again(movement: Movement, held: Book) -> Booking | None:
    """Record a movement on another book than the one that it was made on; None if it moved nothing of its own.

    Goods that were moved have moved, whatever this book says: what it misses at their source is found, and a unit that
    it holds elsewhere is taken from there. What the old book had to find is left out: this one finds its own.
    """
    draft = Draft(held, movement.reference)
    own = _without_findings(movement)
    leaving: dict[Account, int] = defaultdict(int)
    serials_leaving: dict[Account, list[str]] = defaultdict(list)
    done = without_detours(own)
    if not done:
        return None
    taken = [one for one in done if one.account.is_physical and one.quantity < 0]
    gone = {(one.account.sku_id, serial) for one in taken for serial in one.serials}
    for account, quantity, serials in done:
        if account.is_physical and quantity < 0:
            leaving[account] -= quantity
            serials_leaving[account] += serials
        elif account.is_physical:
            for serial in serials:
                if (account.sku_id, serial) not in gone:
                    draft.take_from_elsewhere(account.sku_id, serial)
    for account, quantity in leaving.items():
        goods = Goods(account.sku_id, quantity, account.lot, account.owner, tuple(serials_leaving[account]))
        draft.find_missing(goods, account)
    draft.postings += own
    booking = draft.booking(movement.command, movement.biz_step)
    told = booking.movement._replace(entered=movement.entered, lots=movement.lots)
    return booking._replace(movement=told)


def _without_findings(movement: Movement) -> list[Posting]:
    """The postings but for the pairs that brought the old book to what was seen; a finding by a person stays."""
    recipe = RECIPES.get(movement.command)
    if recipe is not None and FOUND in (recipe.source, recipe.target):
        return list(movement.postings)
    own: list[Posting] = []
    for posting in movement.postings:
        before = own[-1] if own else None
        ends = before is not None and {before.account.external, posting.account.external}
        if ends == {FOUND, ""} and before is not None and before.quantity == -posting.quantity:
            own.pop()
        else:
            own.append(posting)
    # A correction of a finding is all finding.
    return own or list(movement.postings)

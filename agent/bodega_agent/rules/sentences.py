"""A movement as one plain sentence: one template for each row of `core.recipes.RECIPES`, and for corrections.

What a scan had to find first (`adjustment:found`) is said behind it, because that is what explains a book
that differs from what people remember.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bodega.core.ledger import (
    CARRIER,
    COUNT,
    CUSTOMER,
    DAMAGE,
    DOCK,
    FOUND,
    SUPPLIER,
    TRANSFORMATION,
    UNIDENTIFIED,
    Account,
    Movement,
)

SERIALS_NAMED_MAX = 3

MOVEMENTS: Mapping[str, str] = {
    "receive": "received {goods} from {source} at {target}",
    "put_away": "put {goods} away from {source} into {target}",
    "move": "moved {goods} from {source} to {target}",
    "pick": "picked {goods} from {source} to {target}",
    "pack": "packed {goods} from {source} into {target}",
    "unpack": "unpacked {goods} from {source} to {target}",
    "ship": "shipped {goods} in {source} with {target}",
    "collect": "handed {goods} in {source} over to {target}",
    "return": "took {goods} back from {source} at {target}",
    "inspect": "inspected {goods} from {source}: {disposition} in {target}",
    "change_disposition": "changed {goods} in {source} to {disposition}",
    "scrap": "scrapped {goods} from {source}",
    "count_down": "counted {source}: {goods} fewer than the book said",
    "count_up": "counted {target}: {goods} more than the book said",
    "adjust_down": "took {goods} out of the book of {source}",
    "adjust_up": "added {goods} to the book of {target}",
    "kit": "put {made} together from {goods}, in {target}",
    "unkit": "took {goods} apart into {made}, in {target}",
    "re_identify": "gave {goods} in {source} a new identity: {made}",
    "transfer_out": "sent {goods} from {source} to another node with {target}",
    "transfer_in": "received {goods} from another node with {source} at {target}",
    "transfer_missing": "wrote {goods} off that never came with {source}",
    "transfer_surplus": "wrote {goods} up that came with {target} and had left nobody",
    "post": "handed {goods} from {source} over to {target}",
    "correct": "undid event {corrects}: {legs}",
}

_OUTSIDE = {
    SUPPLIER: "the supplier",
    CUSTOMER: "the customer",
    CARRIER: "the carrier",
    FOUND: "what was found",
    COUNT: "the count",
    DAMAGE: "damage",
    UNIDENTIFIED: "the unidentified",
    TRANSFORMATION: "the work bench",
}
_BETWEEN = frozenset({TRANSFORMATION, UNIDENTIFIED})


@dataclass(frozen=True, slots=True)
class Leg:
    """`quantity` base units went from one account to another."""

    source: Account
    target: Account
    quantity: int
    serials: tuple[str, ...] = ()


def legs_of(movement: Movement) -> list[Leg]:
    """Postings come in pairs, out of one account and into the other; what is not paired is left out."""
    pairs = zip(movement.postings[::2], movement.postings[1::2], strict=False)
    return [
        Leg(out.account, into.account, into.quantity, into.serials)
        for out, into in pairs
        if into.quantity > 0 and out.quantity == -into.quantity
    ]


def sentence(movement: Movement) -> str:
    """What happened. A command that this version has no template for is told by its postings."""
    legs = legs_of(movement)
    template = MOVEMENTS.get(movement.command)
    if template is None or 2 * len(legs) != len(movement.postings):
        return f"{movement.command}: {_postings(movement)}"
    found = [leg for at, leg in enumerate(legs) if _is_found(leg, legs[at + 1 :], movement)]
    told = [leg for leg in legs if leg not in found]
    made = [leg for leg in told if leg.source.external in _BETWEEN]
    used = [leg for leg in told if leg not in made] or told
    text = template.format(
        goods=_goods(used),
        made=_goods(made),
        source=_places(leg.source for leg in used),
        target=_places(leg.target for leg in made or used),
        legs=_listed(f"{_goods([leg])} from {place(leg.source)} to {place(leg.target)}" for leg in told),
        disposition=_listed(leg.target.disposition.replace("_", " ") for leg in used),
        corrects=movement.reference.corrects,
    )
    return text + _served(movement) + _said(movement) + "".join(map(_found, found))


def _is_found(leg: Leg, later: Iterable[Leg], movement: Movement) -> bool:
    """Whether this leg only brings the book to where the scan was; a correction undoes such legs, too."""
    feeds = any(leg.target == other.source for other in later)
    if movement.reference.corrects:
        return feeds and leg.source.external == FOUND
    return feeds or leg.target.external == FOUND


def _goods(legs: Iterable[Leg]) -> str:
    total: dict[tuple[str, str], int] = {}
    serials: dict[tuple[str, str], tuple[str, ...]] = {}
    for leg in legs:
        goods = (leg.source.sku_id, leg.source.lot)
        total[goods] = total.get(goods, 0) + leg.quantity
        serials[goods] = serials.get(goods, ()) + leg.serials
    return _listed(
        f"{quantity} {goods[0]}{_marks(goods[1], serials[goods])}" for goods, quantity in total.items()
    )


def _marks(lot: str, serials: tuple[str, ...]) -> str:
    marks = [f"lot {lot}"] if lot else []
    if serials:
        named = ", ".join(serials[:SERIALS_NAMED_MAX])
        rest = len(serials) - SERIALS_NAMED_MAX
        marks.append(f"serial {named}" + (f" and {rest} more" if rest > 0 else ""))
    return f" ({', '.join(marks)})" if marks else ""


def place(account: Account) -> str:
    """A place or a part of the world outside, as a person calls it."""
    if account.bin:
        return "the dock" if account.bin == DOCK else account.bin
    return _OUTSIDE.get(account.external) or account.external.replace("in_transit:", "transfer ")


def _places(accounts: Iterable[Account]) -> str:
    return _listed(dict.fromkeys(map(place, accounts)))


def _listed(words: Iterable[str]) -> str:
    *before, last = list(dict.fromkeys(words)) or [""]
    return f"{', '.join(before)} and {last}" if before else last


def _served(movement: Movement) -> str:
    reference = movement.reference
    served = [
        text
        for name, text in (
            (reference.fulfillment_order_id, f" for {reference.fulfillment_order_id}"),
            (reference.reservation_id, f" for reservation {reference.reservation_id}"),
            (reference.reason, f" ({reference.reason})"),
        )
        if name
    ]
    return "".join(served)


def _said(movement: Movement) -> str:
    said = [f", entered as {said.quantity} {said.unit}" for said in movement.entered]
    said += [f", lot {seen.lot} expires {seen.expiry}" for seen in movement.lots if seen.expiry]
    return "".join(said)


def _found(leg: Leg) -> str:
    goods = _goods([leg])
    if leg.target.external == FOUND:
        return f"; {goods} was not in {place(leg.source)}"
    if leg.source.external:
        return f"; {goods} more was in {place(leg.target)} than the book said"
    return f"; the book had {goods} in {place(leg.source)}"


def _postings(movement: Movement) -> str:
    return _listed(f"{p.quantity:+d} {p.account.sku_id} {place(p.account)}" for p in movement.postings)

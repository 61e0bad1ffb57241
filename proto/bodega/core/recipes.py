"""The one table that says which postings each command makes, and the rule that makes them.

A real scan is never refused: a unit taken from a place where the book holds too few is paired with
`adjustment:found`, and a serial that the book holds elsewhere in the node is brought to where it was
scanned; both open a discrepancy. The only thing refused is a unit that would exist twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from bodega.core.ledger import (
    CARRIER,
    COUNT,
    CUSTOMER,
    DAMAGE,
    FOUND,
    NO_REFERENCE,
    SUPPLIER,
    TRANSFORMATION,
    UNIDENTIFIED,
    Account,
    BizStep,
    Discrepancy,
    Disposition,
    Goods,
    Movement,
    Posting,
    Reference,
    check,
    in_transit,
)
from bodega.errors import FieldFault, InvalidInput, Refused
from bodega.limits import IDENTIFIER_CHARS_MAX, QUANTITY_MAX

SerialKey = tuple[str, str]


class End(StrEnum):
    """An end of a recipe that the command itself completes."""

    # A place in the node, with the disposition that the command names.
    NAMED = "named"
    # The world between two nodes: `in_transit:<transfer>`.
    TRANSIT = "transit"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which way a command moves stock. A Disposition is a place in the node, a plain text the world outside.

    `makes` is the way of the goods that the command makes out of the first ones (kits, new identities).
    """

    biz_step: BizStep
    source: Disposition | End | str
    target: Disposition | End | str
    makes: tuple[Disposition | End | str, Disposition | End | str] | None = None

    @property
    def is_in_node(self) -> bool:
        """Whether it moves anything here; what is not, only the hub's word makes, and nobody's command."""
        return any(isinstance(end, Disposition) or end is End.NAMED for end in (self.source, self.target))


_IN_HAND = Disposition.IN_PROGRESS
_SHELF = Disposition.SELLABLE
_PARCEL = Disposition.CONTAINER_CLOSED

RECIPES: Mapping[str, Recipe] = {
    "receive": Recipe(BizStep.RECEIVING, SUPPLIER, _IN_HAND),
    "put_away": Recipe(BizStep.STORING, _IN_HAND, _SHELF),
    "move": Recipe(BizStep.STORING, End.NAMED, End.NAMED),
    "pick": Recipe(BizStep.PICKING, _SHELF, _IN_HAND),
    "pack": Recipe(BizStep.PACKING, _IN_HAND, _PARCEL),
    "unpack": Recipe(BizStep.UNPACKING, _PARCEL, _IN_HAND),
    "ship": Recipe(BizStep.SHIPPING, _PARCEL, CARRIER),
    # A parcel that its customer has fetched.
    "collect": Recipe(BizStep.RETAIL_SELLING, _PARCEL, CUSTOMER),
    "return": Recipe(BizStep.RECEIVING, CUSTOMER, Disposition.RETURNED),
    "inspect": Recipe(BizStep.INSPECTING, Disposition.RETURNED, End.NAMED),
    "change_disposition": Recipe(BizStep.HOLDING, End.NAMED, End.NAMED),
    "scrap": Recipe(BizStep.DESTROYING, End.NAMED, DAMAGE),
    "count_down": Recipe(BizStep.CYCLE_COUNTING, End.NAMED, COUNT),
    "count_up": Recipe(BizStep.CYCLE_COUNTING, COUNT, End.NAMED),
    "adjust_down": Recipe(BizStep.CYCLE_COUNTING, End.NAMED, DAMAGE),
    "adjust_up": Recipe(BizStep.CYCLE_COUNTING, FOUND, End.NAMED),
    "kit": Recipe(BizStep.ASSEMBLING, _SHELF, TRANSFORMATION, makes=(TRANSFORMATION, _SHELF)),
    "unkit": Recipe(BizStep.DISASSEMBLING, _SHELF, TRANSFORMATION, makes=(TRANSFORMATION, _SHELF)),
    "re_identify": Recipe(BizStep.REPACKAGING, End.NAMED, UNIDENTIFIED, makes=(UNIDENTIFIED, End.NAMED)),
    "transfer_out": Recipe(BizStep.SHIPPING, End.NAMED, End.TRANSIT),
    "transfer_in": Recipe(BizStep.RECEIVING, End.TRANSIT, _IN_HAND),
    # At the hub's word, once a transfer is over: what left a node and arrived at none, or the other way round.
    "transfer_missing": Recipe(BizStep.CYCLE_COUNTING, End.TRANSIT, COUNT),
    "transfer_surplus": Recipe(BizStep.CYCLE_COUNTING, COUNT, End.TRANSIT),
    "post": Recipe(BizStep.RETAIL_SELLING, _SHELF, CUSTOMER),
}


class Places(NamedTuple):
    """Where a command takes goods from and brings them to, with dispositions where its recipe leaves them open."""

    source_bin: str = ""
    target_bin: str = ""
    source_disposition: str = _SHELF
    target_disposition: str = _SHELF


NOWHERE = Places()


class Book(NamedTuple):
    """What the ledger holds now: units in every physical source account, and where the serials are.

    Where no serials are named, any number that is enough for the command stands for what is there.
    """

    balances: Mapping[Account, int]
    serials: Mapping[SerialKey, Account] = MappingProxyType({})


class Booking(NamedTuple):
    """What `book` answers: the movement to record, and discrepancies that it uncovered."""

    movement: Movement
    discrepancies: tuple[Discrepancy, ...]


def recipe_of(command: str) -> Recipe:
    """The command's row; InvalidInput if there is none."""
    recipe = RECIPES.get(command)
    if recipe is None:
        raise InvalidInput(
            f"there is no ledger command '{command}'", hint=f"use one of: {', '.join(RECIPES)}"
        )
    return recipe


def taken_as(command: str, places: Places) -> str:
    """The disposition of the goods that a command takes from its source bin; empty if they come from outside."""
    source = recipe_of(command).source
    return places.source_disposition if source is End.NAMED else _DISPOSITIONS.get(source, "")


def book(
    command: str,
    goods: Iterable[Goods],
    held: Book,
    places: Places = NOWHERE,
    *,
    makes: Iterable[Goods] = (),
    reference: Reference = NO_REFERENCE,
) -> Booking:
    """Turn a command into a movement, following its row in RECIPES.

    `held` must know every physical source account that is not zero and every serial that is named. Raises
    InvalidInput for an unknown command, a missing bin or a quantity out of range, Refused for a serial
    that would exist twice.
    """
    recipe = recipe_of(command)
    goods = tuple(goods)
    if len(goods) == 1 and recipe.makes is None:
        plain = _plain(command, recipe, goods[0], held, places, reference)
        if plain is not None:
            return plain
    draft = Draft(held, reference)
    for item in goods:
        draft.carry(
            item,
            _account(item, recipe.source, places, reference, "source"),
            _account(item, recipe.target, places, reference, "target"),
        )
    if recipe.makes is not None:
        source, target = recipe.makes
        for item in makes:
            draft.carry(
                item,
                _account(item, source, places, reference, "source"),
                _account(item, target, places, reference, "target"),
            )
    return draft.booking(command, recipe.biz_step)


def _plain(
    command: str, recipe: Recipe, item: Goods, held: Book, places: Places, reference: Reference
) -> Booking | None:
    """What most commands are: one kind of goods without serials, and the book holds enough of it. None if not so.

    Then the two postings that a draft would come to are known at once.
    """
    source = _account(item, recipe.source, places, reference, "source")
    target = _account(item, recipe.target, places, reference, "target")
    _check_goods(item)
    quantity = item.quantity
    if item.serials or not (source.external or held.balances.get(source, 0) >= quantity):
        return None
    pair = (Posting(source, -quantity), Posting(target, quantity))
    return Booking(Movement(command, recipe.biz_step, pair, reference), ())


def correct(movement: Movement, event: str, held: Book, *, reason: str) -> Booking:
    """Undo a recorded movement by a new one that names it (`event` is "<epoch>/<seq>").

    What went away since is found again, never negative. Raises Refused for a serial that left the node by it
    and is back: what brought it back comes first.
    """
    draft = Draft(held, replace(movement.reference, corrects=event, reason=reason, final=False))
    done = without_detours(movement.postings)
    if not done:
        raise Refused(f"event {event} has moved nothing in the end", hint="there is nothing to undo")
    left: dict[Account, int] = defaultdict(int)
    rests: dict[SerialKey, Account] = {}
    for account, quantity, serials in done:
        left[account] += quantity
        if quantity > 0:
            rests |= {(account.sku_id, serial): account for serial in serials}
    for (sku_id, serial), place in rests.items():
        if not place.is_physical:
            draft.refuse_doubles(Goods(sku_id, 1, serials=(serial,)))
    for account, quantity in left.items():
        serials = tuple(serial for (_sku, serial), place in rests.items() if place == account)
        if account.is_physical and (quantity > 0 or serials):
            goods = Goods(account.sku_id, max(0, quantity), account.lot, account.owner, serials)
            draft.find_missing(goods, account)
    draft.postings += [Posting(account, -quantity, serials) for account, quantity, serials in reversed(done)]
    return draft.booking("correct", movement.biz_step)


def without_detours(postings: Iterable[Posting]) -> list[Posting]:
    """What a movement has done in the end to each account, and to each serial, in its order."""
    nameless: dict[Account, int] = defaultdict(int)
    ways: dict[tuple[tuple[str, str, str], str], list[Account]] = {}
    for account, quantity, serials in postings:
        if not serials:
            nameless[account] += quantity
        for serial in serials:
            way = ways.setdefault((account.goods, serial), [account, account])
            if quantity > 0:
                way[1] = account
    done = [Posting(account, quantity) for account, quantity in nameless.items() if quantity]
    for (_goods, serial), (source, target) in ways.items():
        if source != target:
            done += (Posting(source, -1, (serial,)), Posting(target, 1, (serial,)))
    return done


class Draft:
    """A movement in the making: postings so far, and what they have taken from each account. See `core.rebase` too."""

    def __init__(self, held: Book, reference: Reference) -> None:
        self._held = held
        self._reference = reference
        self._taken: dict[Account, int] = defaultdict(int)
        self._moved: dict[SerialKey, Account] = {}
        self.postings: list[Posting] = []
        self._discrepancies: list[Discrepancy] = []

    def carry(self, goods: Goods, source: Account, target: Account) -> None:
        """Goods leave one account for another."""
        _check_goods(goods)
        if not source.external:
            self.find_missing(goods, source)
        elif not target.external:
            self.refuse_doubles(goods)
        quantity, serials = goods.quantity, goods.serials
        self.postings += (Posting(source, -quantity, serials), Posting(target, quantity, serials))
        for serial in serials:
            self._moved[goods.sku_id, serial] = target
        if not target.external:
            self._taken[target] -= quantity

    def find_missing(self, goods: Goods, place: Account) -> None:
        """Bring the book to what the scan has seen: these goods were at this place."""
        for serial in goods.serials:
            self._find_serial(serial, place)
        missing = goods.quantity - self._left_at(place)
        if missing > 0:
            found = Account(place.sku_id, lot=place.lot, owner=place.owner, external=FOUND)
            self._bring(found, place, missing)
        self._taken[place] += goods.quantity

    def _left_at(self, place: Account) -> int:
        return self._held.balances.get(place, 0) - self._taken[place]

    def _find_serial(self, serial: str, place: Account) -> None:
        key = (place.sku_id, serial)
        book_place = self._moved.get(key) or self._held.serials.get(key)
        if book_place == place:
            return
        found = Account(place.sku_id, lot=place.lot, owner=place.owner, external=FOUND)
        # A place that the book has emptied meanwhile, by units without a serial, has nothing left to give.
        if book_place is None or not book_place.is_physical or self._left_at(book_place) < 1:
            self._bring(found, place, 1, (serial,))
            return
        self._taken[book_place] += 1
        self._note(book_place, -1)
        if book_place.goods == place.goods:
            self._bring(book_place, place, 1, (serial,))
            return
        # The unit carries another lot than the book says: it leaves as the one and is found as the other.
        lost = Account(book_place.sku_id, lot=book_place.lot, owner=book_place.owner, external=FOUND)
        self.postings += (Posting(book_place, -1, (serial,)), Posting(lost, 1, (serial,)))
        self._bring(found, place, 1, (serial,))

    def take_from_elsewhere(self, sku_id: str, serial: str) -> None:
        """A unit comes in that the book has in the node already: it is not there any more."""
        there = self._held.serials.get((sku_id, serial))
        if there is None or not there.is_physical or self._left_at(there) < 1:
            return
        lost = Account(sku_id, lot=there.lot, owner=there.owner, external=FOUND)
        self.postings += (Posting(there, -1, (serial,)), Posting(lost, 1, (serial,)))
        self._taken[there] += 1
        self._note(there, -1)

    def _bring(self, source: Account, place: Account, quantity: int, serials: tuple[str, ...] = ()) -> None:
        self.postings += (Posting(source, -quantity, serials), Posting(place, quantity, serials))
        self._taken[place] -= quantity
        self._note(place, quantity)

    def _note(self, place: Account, difference: int) -> None:
        self._discrepancies.append(
            Discrepancy(
                place.bin,
                place.sku_id,
                place.lot,
                difference,
                "found" if difference > 0 else "elsewhere",
                self._reference.fulfillment_order_id,
            )
        )

    def refuse_doubles(self, goods: Goods) -> None:
        """Goods come in: a unit that is in the node already can not come in again."""
        for serial in goods.serials:
            place = self._moved.get((goods.sku_id, serial)) or self._held.serials.get((goods.sku_id, serial))
            if place is not None and place.is_physical:
                raise Refused(
                    f"serial '{serial}' of SKU '{goods.sku_id}' is already in {place.bin}",
                    code="serial-twice",
                    hint="scan the unit again; if it is there, move it instead of receiving it",
                )

    def booking(self, command: str, biz_step: str) -> Booking:
        """The finished movement, checked."""
        movement = Movement(command, biz_step, tuple(self.postings), self._reference)
        check(movement)
        return Booking(movement, tuple(self._discrepancies))


# Plain texts of the dispositions: looked up, because asking an enum member for its value costs two calls.
_DISPOSITIONS: Mapping[str, str] = {disposition: disposition.value for disposition in Disposition}


def _account(
    item: Goods, end: Disposition | End | str, places: Places, reference: Reference, side: str
) -> Account:
    disposition = _DISPOSITIONS.get(end)
    if disposition is not None or end is End.NAMED:
        at_source = side == "source"
        bin_id = places.source_bin if at_source else places.target_bin
        if not bin_id:
            raise InvalidInput(
                "a place in the node is missing", faults=(FieldFault(f"{side}_bin", "must name a bin"),)
            )
        named = places.source_disposition if at_source else places.target_disposition
        return Account(item.sku_id, bin_id, disposition or named, item.lot, item.owner)
    if end is not End.TRANSIT:
        return Account(item.sku_id, "", "", item.lot, item.owner, end)
    if not reference.transfer_id:
        raise InvalidInput(
            "the transfer is missing", faults=(FieldFault("transfer_id", "must name a transfer"),)
        )
    return Account(item.sku_id, lot=item.lot, owner=item.owner, external=in_transit(reference.transfer_id))


def _check_goods(item: Goods) -> None:
    faults: list[FieldFault] = []
    if not 0 < item.quantity <= QUANTITY_MAX:
        faults.append(FieldFault("quantity", f"must be 1 to {QUANTITY_MAX} base units, is {item.quantity}"))
    if not 0 < len(item.sku_id) <= IDENTIFIER_CHARS_MAX:
        faults.append(FieldFault("sku_id", f"must be 1 to {IDENTIFIER_CHARS_MAX} characters"))
    if item.serials and len(different := set(item.serials)) != item.quantity:
        faults.append(FieldFault("serials", f"must be {item.quantity} different ones, are {len(different)}"))
    if faults:
        raise InvalidInput(
            f"these goods can not be booked: {'; '.join(map(str, faults))}",
            hint="give whole base units, one serial for each where serials are given",
            faults=tuple(faults),
        )

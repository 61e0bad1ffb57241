"""Ledger commands from outside, executed: one table from a command to the function that books it.

A command is done once for its `cmd_id`, in one transaction, or not at all. What a person has in hand is
recorded whatever the book says; refused is what can not be meant: unknown goods, units, lots and bins, a unit
that would exist twice, more than an order asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from bodega.core.commands import Command
from bodega.core.ledger import Account
from bodega.core.promise import demand_by_sku
from bodega.core.recipes import RECIPES, Places
from bodega_agent.store import counting, ledger, parcel_commands, promise_commands, settling
from bodega_agent.store.booking import BRINGS_IN, Json, Work
from bodega_agent.store.goods import Known, Understanding
from bodega_agent.store.transaction import Context, Transaction

Handler: TypeAlias = Callable[[Transaction, Context, Command], Json]


def run(tx: Transaction, context: Context, command: Command) -> Json:
    """Do a decoded command once; the result names the events and, where they tell more, the base units.

    Returns {command, seqs, goods: [{sku_id, quantity, lot?, entered?}], discrepancies: [...]}; promises add
    their own. Raises InvalidInput, NotFound or Refused with nothing to keep: the caller rolls the job back.
    """
    who = context if context.cmd_id == command.cmd_id else context._replace(cmd_id=command.cmd_id)
    return tx.once(command.cmd_id, command.body, lambda: _HANDLERS[command.command](tx, who, command))


# Where the simple commands take goods from and bring them to.
_PLACES: Mapping[str, Callable[[Command], Places]] = {
    "receive": lambda c: Places(target_bin=c.bin_id),
    "put_away": lambda c: Places(c.from_bin_id, c.to_bin_id),
    "move": lambda c: Places(c.from_bin_id, c.to_bin_id, c.disposition, c.disposition),
    "return": lambda c: Places(target_bin=c.bin_id),
    "inspect": lambda c: Places(c.bin_id, c.to_bin_id or c.bin_id, target_disposition=c.to_disposition),
    "scrap": lambda c: Places(c.bin_id, source_disposition=c.disposition),
    "change_disposition": lambda c: Places(c.bin_id, c.bin_id, c.disposition, c.to_disposition),
    "transfer_out": lambda c: Places(c.bin_id, source_disposition=c.disposition),
    "transfer_in": lambda c: Places(target_bin=c.bin_id),
}


def _simple(tx: Transaction, context: Context, command: Command) -> Json:
    doing = Work(tx, context, command)
    known = doing.understood()
    places = _PLACES[command.command](command)
    if command.command in BRINGS_IN and _are_there(tx, command.command, known, places.target_bin):
        named = ", ".join(serial for one in known for serial in one.goods.serials)
        return doing.result(note=f"{named}: at {places.target_bin} already, nothing to record.")
    doing.book(command.command, known, places)
    return doing.result()


def _are_there(tx: Transaction, command: str, known: Iterable[Known], bin_id: str) -> bool:
    """Whether every unit that a command brings in has a serial, and lies where it would be brought to already."""
    disposition = RECIPES[command].target
    for one in known:
        goods = one.goods
        there = Account(goods.sku_id, bin_id, disposition, goods.lot, goods.owner)
        keys = [(goods.sku_id, serial) for serial in goods.serials]
        at = ledger.where_serials_are(tx, keys)
        if not keys or any(at.get(key) != there for key in keys):
            return False
    return True


def _kit(tx: Transaction, context: Context, command: Command) -> Json:
    understanding = Understanding(tx, command)
    kits = understanding.lines()
    parts = understanding.parts()
    understanding.places()
    understanding.finish()
    (kit,) = kits
    # Without a word of the person, the parts are what the catalogue says.
    parts = parts or understanding.catalogue_parts(kit)
    _check_parts(understanding, kit, parts)
    understanding.finish()
    taken, made = ((kit,), parts) if command.command == "unkit" else (parts, (kit,))
    doing = Work(tx, context, command)
    doing.book(
        command.command, taken, Places(command.bin_id, command.to_bin_id or command.bin_id), makes=made
    )
    return doing.result()


def _check_parts(understanding: Understanding, kit: Known, parts: Iterable[Known]) -> None:
    if not kit.sku.components:
        understanding.fault("sku_id", f"'{kit.sku.sku_id}' is no kit: the catalogue knows no parts of it")
        return
    needed = {sku_id: quantity * kit.goods.quantity for sku_id, quantity in kit.sku.components}
    given = demand_by_sku((part.goods.sku_id, part.goods.quantity) for part in parts)
    if given != needed:
        wanted = ", ".join(f"{quantity} {sku_id}" for sku_id, quantity in sorted(needed.items()))
        understanding.fault("parts", f"{kit.goods.quantity} of {kit.sku.sku_id} need exactly {wanted}")


def _re_identify(tx: Transaction, context: Context, command: Command) -> Json:
    understanding = Understanding(tx, command)
    known = understanding.lines()
    assert command.becomes is not None, "decode asks for it"
    units = known[0].goods.quantity if known else 1
    becomes = understanding.line(command.becomes, "becomes.", brings_in=True, base_units=units)
    understanding.places()
    if known and becomes and replace(known[0].goods, quantity=units) == becomes.goods:
        understanding.fault("becomes", "is what the goods are already: name another SKU or lot")
    understanding.finish()
    assert becomes is not None, "finish raises when it could not be understood"
    doing = Work(tx, context, command)
    places = Places(command.bin_id, command.bin_id, command.disposition, command.disposition)
    doing.book("re_identify", known, places, makes=(becomes,))
    return doing.result()


_HANDLERS: Mapping[str, Handler] = {
    **dict.fromkeys(_PLACES, _simple),
    "pick": parcel_commands.pick,
    "pack": parcel_commands.pack,
    "ship": parcel_commands.ship,
    "unpack": parcel_commands.unpack,
    "count_begin": counting.begin,
    "count": counting.count,
    "adjust": settling.adjust,
    "kit": _kit,
    "unkit": _kit,
    "re_identify": _re_identify,
    "correct": settling.correct,
    "reserve": promise_commands.reserve,
    "release": promise_commands.release,
    "post": promise_commands.post,
    "expire": promise_commands.expire,
    "override": promise_commands.override,
}

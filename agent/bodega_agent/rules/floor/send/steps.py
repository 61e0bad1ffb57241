"""Send goods to another node: walk its bins as for an order, then load all of it and say CMD-DONE.

Every item scan is durable at once. What no bin holds is sent short, and the hub hears of it with the shipment.
"""

from __future__ import annotations

from dataclasses import replace

from bodega.core.ledger import Goods
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.pick.facts import Shelf
from bodega_agent.rules.floor.pick.plan import PickStep, Wanted, plan_picks
from bodega_agent.rules.floor.prompt import units
from bodega_agent.rules.floor.scans import BinScan, ItemScan, NamedScan, NumberScan
from bodega_agent.rules.floor.send.doing import Sending
from bodega_agent.rules.floor.send.effects import (
    BeginSending,
    EmptyShelf,
    LineShort,
    PickForTransfer,
    ShipTransfer,
)
from bodega_agent.rules.floor.send.facts import LegState, SendFacts, Transfer, TransferLine
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Lost


def start(session: Session, facts: SendFacts) -> Answer:
    """CMD-SEND: what this device has begun first."""
    if facts.transfer is not None:
        said = f"Going on with {facts.transfer.transfer_id}."
        return _go_on(session, facts.transfer, facts, said)
    if not facts.open:
        return say(session, facts, "No transfer is to be sent.")
    return say(session.at(FloorStep.SEND_CHOOSE), facts)


def choose(session: Session, scan: NamedScan, facts: SendFacts) -> Answer:
    """The label, or the paper, of a transfer that leaves here; one that somebody has begun is taken over."""
    transfer = facts.transfer
    if transfer is None or transfer.state not in {LegState.ORDERED, LegState.PICKING}:
        return refuse(session, facts, f"{scan.name} is not to be sent from here.")
    begun = replace(transfer, state=LegState.PICKING, device=session.device)
    said = f"Transfer {scan.name} to {transfer.to_node_id}."
    return _go_on(session, begun, facts, said, (BeginSending(scan.name),))


def settle(session: Session, facts: SendFacts) -> Session | Lost:
    """A transfer that is shipped, or that another device has taken over, is not this session's any more."""
    doing = session.doing
    if not isinstance(doing, Sending):
        return session
    transfer = facts.transfer
    if transfer is None or transfer.state is not LegState.PICKING or transfer.device != session.device:
        return Lost(f"Transfer {doing.transfer_id} is not yours to send any more.")
    step, bin_id = _stand(transfer, session.bin_id)
    return replace(session, step=step, bin_id=bin_id)


def next_of(transfer: Transfer, bin_id: str) -> PickStep | None:
    """What to take now, seen from a person who stands at `bin_id`; None if no bin holds any of it."""
    wanted = [
        Wanted(number, line.sku_id, line.outstanding)
        for number, line in enumerate(transfer.lines)
        if line.outstanding
    ]
    return next(iter(plan_picks(wanted, transfer.shelves, at_bin=bin_id).steps), None)


def wanted_line(transfer: Transfer, bin_id: str) -> TransferLine:
    """The line of `next_of`, or the first that no bin holds."""
    task = next_of(transfer, bin_id)
    if task is not None:
        return transfer.lines[task.line]
    return next(line for line in transfer.lines if line.outstanding)


def _stand(transfer: Transfer, bin_id: str) -> tuple[FloorStep, str]:
    if not transfer.outstanding:
        return FloorStep.SEND_READY, ""
    task = next_of(transfer, bin_id)
    if bin_id and (task is None or task.bin_id == bin_id):
        return FloorStep.SEND_ITEM, bin_id
    return FloorStep.SEND_BIN, ""


def _go_on(
    session: Session,
    transfer: Transfer,
    facts: SendFacts,
    said: str,
    effects: tuple[Effect, ...] = (),
    last: Sending | None = None,
) -> Answer:
    step, bin_id = _stand(transfer, session.bin_id)
    stays = last is not None and bin_id == session.bin_id
    doing = last if stays else Sending(transfer.transfer_id)
    return say(
        session.at(step, bin_id=bin_id, doing=doing), replace(facts, transfer=transfer), said, effects=effects
    )


def into_bin(session: Session, scan: BinScan, facts: SendFacts) -> Answer:
    """The right bin, or any one where the book knows none."""
    transfer = transfer_of(facts)
    task = next_of(transfer, session.bin_id)
    if scan.bin_id == session.bin_id:
        return say(session, facts, f"Bin {scan.bin_id}.")
    if task is not None and task.bin_id != scan.bin_id:
        return refuse(session, facts, f"Bin {scan.bin_id} is not {task.bin_id}.")
    return _go_on(replace(session, bin_id=scan.bin_id), transfer, facts, f"Bin {scan.bin_id}.")


def item(session: Session, scan: ItemScan, facts: SendFacts) -> Answer:
    """Units leave the bin for the place where the transfer stands ready."""
    transfer = transfer_of(facts)
    task, line = next_of(transfer, session.bin_id), wanted_line(transfer, session.bin_id)
    lot = scan.lot or (task.lot if task else "")
    problem = _wrong(scan, transfer, line, lot, session.bin_id)
    if problem:
        return refuse(session, facts, problem)
    goods = Goods(scan.sku_id, scan.quantity, lot, serials=scan.serials)
    last = Sending(transfer.transfer_id, scan.sku_id, lot, scan.quantity)
    picked = PickForTransfer(transfer.transfer_id, goods, session.bin_id, scan.entered)
    return _taken(session, facts, line, picked, last)


def number(session: Session, scan: NumberScan, facts: SendFacts) -> Answer:
    """So many were taken in all of what was scanned last: the rest of them is booked."""
    transfer, doing = transfer_of(facts), session.doing
    assert isinstance(doing, Sending), "sending remembers its transfer"
    line = next((line for line in transfer.lines if line.sku_id == doing.sku_id), None)
    if line is None:
        return refuse(session, facts, "Of what? Scan the thing first.")
    more = scan.value - doing.taken
    if more <= 0:
        return refuse(session, facts, f"{doing.taken} are booked already.")
    if more > line.outstanding:
        return refuse(session, facts, f"{scan.value} are too many.")
    goods = Goods(doing.sku_id, more, doing.lot)
    picked = PickForTransfer(transfer.transfer_id, goods, session.bin_id)
    return _taken(session, facts, line, picked, replace(doing, taken=scan.value))


def _taken(
    session: Session, facts: SendFacts, line: TransferLine, picked: PickForTransfer, last: Sending
) -> Answer:
    goods = picked.goods
    after = transfer_of(facts).with_line(replace(line, picked=line.picked + goods.quantity))
    after = _less(after, picked.bin_id, goods)
    # A code that names a unit counts that unit alone.
    last = Sending(last.transfer_id) if goods.serials else last
    return _go_on(session, after, facts, f"Took {units(goods.quantity, line.name)}.", (picked,), last)


def _wrong(scan: ItemScan, transfer: Transfer, line: TransferLine, lot: str, bin_id: str) -> str:
    if scan.sku_id != line.sku_id:
        return f"{scan.name} is not {line.name}."
    if scan.expired:
        return f"Lot {scan.lot} of {scan.name} has expired: set it aside."
    if scan.lot_tracked and not lot:
        return f"{scan.name} needs its lot: scan the code with the lot (AI 10)."
    if scan.lacks_serial:
        return needs_serial(scan)
    if scan.serial and scan.serial_place == place_of(transfer.transfer_id):
        return f"{scan.serial} is taken already."
    here = {shelf.lot for shelf in transfer.shelves if (shelf.bin_id, shelf.sku_id) == (bin_id, scan.sku_id)}
    if scan.lot and here and scan.lot not in here:
        return f"Lot {scan.lot} is not in {bin_id} by the book: take lot {min(here)}."
    if scan.quantity > line.outstanding:
        return f"{scan.quantity} are too many."
    return ""


def short(session: Session, facts: SendFacts) -> Answer:
    """CMD-SHORT: the shelf is empty. Its book goes to zero; other bins are tried; else less is sent."""
    transfer = transfer_of(facts)
    task, line = next_of(transfer, session.bin_id), wanted_line(transfer, session.bin_id)
    effects: list[Effect] = []
    said = f"By the book no bin holds {line.name}."
    if task is not None:
        there = _shelf(transfer, task)
        goods = Goods(line.sku_id, there.quantity, there.lot)
        effects.append(EmptyShelf(transfer.transfer_id, goods, there.bin_id))
        transfer = _less(transfer, there.bin_id, goods)
        said = f"{there.bin_id} is empty."
    if not any(shelf.sku_id == line.sku_id for shelf in transfer.shelves):
        effects.append(LineShort(transfer.transfer_id, line.sku_id, line.outstanding))
        effects.append(
            NoteException(
                "short_transfer",
                reference=transfer.transfer_id,
                sku_id=line.sku_id,
                quantity=line.outstanding,
            )
        )
        said += f" {units(line.outstanding, line.name)} can not be sent."
        transfer = transfer.with_line(replace(line, short=line.short + line.outstanding))
    return _go_on(session, transfer, facts, said, tuple(effects))


def ship(session: Session, facts: SendFacts) -> Answer:
    """CMD-DONE: it is loaded, and under way."""
    transfer = transfer_of(facts)
    rest = tuple(one for one in facts.open if one != transfer.transfer_id)
    after = replace(facts, transfer=None, open=rest)
    said = f"Transfer {transfer.transfer_id} is under way: {transfer.picked} units to {transfer.to_node_id}."
    return say(session.idle(), after, said, effects=(ShipTransfer(transfer.transfer_id),))


def _shelf(transfer: Transfer, task: PickStep) -> Shelf:
    return next(
        shelf
        for shelf in transfer.shelves
        if (shelf.bin_id, shelf.sku_id, shelf.lot) == (task.bin_id, task.sku_id, task.lot)
    )


def _less(transfer: Transfer, bin_id: str, goods: Goods) -> Transfer:
    """The shelves without these goods; an empty one is left out."""
    shelves = (
        replace(shelf, quantity=shelf.quantity - goods.quantity)
        if (shelf.bin_id, shelf.sku_id, shelf.lot) == (bin_id, goods.sku_id, goods.lot)
        else shelf
        for shelf in transfer.shelves
    )
    return replace(transfer, shelves=tuple(shelf for shelf in shelves if shelf.quantity > 0))


def place_of(transfer_id: str) -> str:
    """Where the goods of a transfer stand ready to be loaded."""
    return f"TRANSFER-{transfer_id}"


def transfer_of(facts: SendFacts) -> Transfer:
    """The transfer that the session is about."""
    assert facts.transfer is not None, "a session without its transfer is lost"
    return facts.transfer

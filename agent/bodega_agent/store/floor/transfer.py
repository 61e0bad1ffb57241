"""Transfers between nodes: facts and effects of both ends."""

from __future__ import annotations

from bodega.core.ledger import (
    DOCK,
    Account,
    Discrepancy,
    Disposition,
    Goods,
    LotSeen,
    Reference,
)
from bodega.core.recipes import Places, book
from bodega.v1 import floor_pb2
from bodega_agent.rules.floor.arrive import effects as arriving
from bodega_agent.rules.floor.arrive.doing import Arriving
from bodega_agent.rules.floor.arrive.facts import Arrival, ArrivalLine, ArriveFacts
from bodega_agent.rules.floor.effects import NoteException
from bodega_agent.rules.floor.pick.facts import Shelf
from bodega_agent.rules.floor.scans import NamedScan
from bodega_agent.rules.floor.send import effects as sending
from bodega_agent.rules.floor.send.doing import Sending
from bodega_agent.rules.floor.send.facts import LegState, SendFacts, Transfer, TransferLine
from bodega_agent.rules.floor.send.steps import place_of
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.store import catalogue, ledger, transfer_orders
from bodega_agent.store.floor import pick
from bodega_agent.store.floor.common import DOES as COMMON
from bodega_agent.store.floor.common import Doers, owned
from bodega_agent.store.floor.look import Look
from bodega_agent.store.transaction import Context, Transaction
from bodega_agent.store.transfer_orders import Leg


def send_facts(look: Look) -> SendFacts:
    """What the text of `rules.floor.send.facts` says of the step."""
    tx, session, scan = look.tx, look.session, look.scan
    to_send = transfer_orders.to_send(tx)
    leg = None
    if isinstance(session.doing, Sending):
        leg = transfer_orders.find(tx, session.doing.transfer_id)
    elif session.step is FloorStep.SEND_CHOOSE and isinstance(scan, NamedScan):
        leg = next((leg for leg in to_send if leg.transfer_id == scan.name), None)
    elif session.step is FloorStep.IDLE:
        mine = [leg for leg in to_send if leg.device == session.device]
        leg = next((leg for leg in mine if leg.state is LegState.PICKING), None)
    ids = tuple(one.transfer_id for one in to_send)
    return SendFacts(open=ids, transfer=_transfer(tx, leg) if leg else None)


def _transfer(tx: Transaction, leg: Leg) -> Transfer:
    lines = []
    for line in transfer_orders.lines_of(tx, leg.transfer_id):
        sku = catalogue.sku_by_id(tx, line.sku_id)
        name, gtins = (sku.name, sku.gtins) if sku else (line.sku_id, ())
        lines.append(TransferLine(line.sku_id, name, gtins, line.ordered, line.moved, line.short))
    shelves: list[Shelf] = []
    for one in lines:
        if one.outstanding:
            shelves += pick.shelves_of(tx, one.sku_id)
    return Transfer(leg.transfer_id, leg.to_node_id, leg.state, tuple(lines), tuple(shelves), leg.device)


def arrive_facts(look: Look) -> ArriveFacts:
    """What the text of `rules.floor.arrive.facts` says of the step."""
    tx, doing, scan = look.tx, look.session.doing, look.scan
    expected = tuple(leg.transfer_id for leg in transfer_orders.to_come(tx))
    name = doing.transfer_id if isinstance(doing, Arriving) else ""
    if look.session.step is FloorStep.ARRIVE_CHOOSE and isinstance(scan, NamedScan):
        name = scan.name
    leg = transfer_orders.find(tx, name) if name else None
    if leg is None or leg.to_node_id != tx.get("node_id"):
        return ArriveFacts(expected=expected)
    lines = []
    for line in transfer_orders.lines_of(tx, leg.transfer_id):
        sku = catalogue.sku_by_id(tx, line.sku_id)
        title = sku.name if sku else line.sku_id
        lines.append(ArrivalLine(line.sku_id, title, line.ordered, line.moved, line.damaged))
    arrival = Arrival(leg.transfer_id, leg.from_node_id, leg.state, tuple(lines))
    return ArriveFacts(expected=expected, arrival=arrival)


def _begin_sending(tx: Transaction, context: Context, effect: sending.BeginSending) -> None:
    transfer_orders.begin(tx, context, effect.transfer_id, LegState.PICKING)


def _pick(tx: Transaction, context: Context, effect: sending.PickForTransfer) -> None:
    goods = owned(tx, effect.goods)
    ledger.move(
        tx,
        context,
        "pick",
        [goods],
        source_bin=effect.bin_id,
        target_bin=place_of(effect.transfer_id),
        reference=Reference(transfer_id=effect.transfer_id),
        entered=[effect.entered] if effect.entered else (),
    )
    transfer_orders.moved(tx, effect.transfer_id, goods.sku_id, goods.quantity)


def _empty_shelf(tx: Transaction, context: Context, effect: sending.EmptyShelf) -> None:
    goods = owned(tx, effect.goods)
    shelf = Account(goods.sku_id, effect.bin_id, Disposition.SELLABLE, goods.lot, goods.owner)
    gone = ledger.all_goods(tx, {shelf: goods.quantity})
    reference = Reference(reason="short", transfer_id=effect.transfer_id)
    ledger.move(tx, context, "count_down", gone, source_bin=effect.bin_id, reference=reference)
    found = Discrepancy(effect.bin_id, goods.sku_id, goods.lot, -goods.quantity, "short")
    ledger.open_discrepancy(tx, context, found)


def _line_short(tx: Transaction, _context: Context, effect: sending.LineShort) -> None:
    transfer_orders.short(tx, effect.transfer_id, effect.sku_id, effect.quantity)


def _ship(tx: Transaction, context: Context, effect: sending.ShipTransfer) -> None:
    place = place_of(effect.transfer_id)
    goods = ledger.all_goods(tx, ledger.balances_at(tx, place))
    if goods:
        reference = Reference(transfer_id=effect.transfer_id, final=True)
        places = Places(place, source_disposition=Disposition.IN_PROGRESS)
        _book(tx, context, "transfer_out", goods, places, reference)
    lines = [floor_pb2.NoticeLine(sku_id=one.sku_id, quantity=one.quantity, lot=one.lot) for one in goods]
    transfer_orders.end(tx, context, effect.transfer_id, LegState.SHIPPED, lines)


def _begin_arrival(tx: Transaction, context: Context, effect: arriving.BeginArrival) -> None:
    transfer_orders.begin(tx, context, effect.transfer_id, LegState.RECEIVING)


def _arrive(tx: Transaction, context: Context, effect: arriving.Arrive) -> None:
    goods = owned(tx, effect.goods)
    ledger.move(
        tx,
        context,
        "transfer_in",
        [goods],
        target_bin=DOCK,
        reference=Reference(transfer_id=effect.transfer_id),
        entered=[effect.entered] if effect.entered else (),
        lots=[LotSeen(goods.sku_id, goods.lot, effect.expiry)] if effect.expiry else (),
    )
    transfer_orders.moved(tx, effect.transfer_id, goods.sku_id, goods.quantity)


def _set_damaged(tx: Transaction, context: Context, effect: arriving.SetDamaged) -> None:
    goods = owned(tx, effect.goods)
    places = Places(DOCK, DOCK, Disposition.IN_PROGRESS, Disposition.DAMAGED)
    _book(tx, context, "change_disposition", [goods], places, Reference(reason="damaged"))
    transfer_orders.damaged(tx, effect.transfer_id, goods.sku_id, goods.quantity)
    noted = NoteException(
        "damaged", "transfer", effect.transfer_id, DOCK, goods.sku_id, goods.lot, goods.quantity
    )
    COMMON[NoteException](tx, context, noted)


def _close_arrival(tx: Transaction, context: Context, effect: arriving.CloseArrival) -> None:
    lines = [
        floor_pb2.NoticeLine(sku_id=line.sku_id, quantity=line.moved)
        for line in transfer_orders.lines_of(tx, effect.transfer_id)
        if line.moved
    ]
    transfer_orders.end(tx, context, effect.transfer_id, LegState.RECEIVED, lines)


def _book(  # the parts of a movement
    tx: Transaction,
    context: Context,
    command: str,
    goods: list[Goods],
    places: Places,
    reference: Reference,
) -> None:
    """A movement whose dispositions are named."""
    held = ledger.held_for(tx, command, goods, places)
    ledger.record_booking(tx, context, book(command, goods, held, places, reference=reference))


DOES: Doers = {
    sending.BeginSending: _begin_sending,
    sending.PickForTransfer: _pick,
    sending.EmptyShelf: _empty_shelf,
    sending.LineShort: _line_short,
    sending.ShipTransfer: _ship,
    arriving.BeginArrival: _begin_arrival,
    arriving.Arrive: _arrive,
    arriving.SetDamaged: _set_damaged,
    arriving.CloseArrival: _close_arrival,
}

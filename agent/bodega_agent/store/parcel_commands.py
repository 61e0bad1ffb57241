"""Commands that pick, pack, unpack and ship. What an order owns goes by the order's own life cycle."""

from __future__ import annotations

from collections.abc import Mapping

from bodega.core.commands import Command
from bodega.core.ledger import parcel_place, stage_of
from bodega.core.lifecycles import FULFILLMENT, FulfillmentEvent, FulfillmentState
from bodega.core.promise import demand_by_sku
from bodega.core.recipes import RECIPES, Places
from bodega.errors import FieldFault, InvalidInput, Refused
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.handover.effects import HandOver
from bodega_agent.rules.floor.pack.effects import Pack
from bodega_agent.store import labels, ledger, pickups, work
from bodega_agent.store.booking import Json, Work
from bodega_agent.store.floor import effects
from bodega_agent.store.transaction import Context, Transaction

_PICKABLE = frozenset({FulfillmentState.ASSIGNED, FulfillmentState.PICKING})


def pick(tx: Transaction, context: Context, command: Command) -> Json:
    """For an order no more than it still asks for, lines of one SKU taken together; else into `to_bin_id`."""
    doing = Work(tx, context, command)
    known = doing.understood()
    if not command.fulfillment_order_id:
        doing.book("pick", known, Places(command.bin_id, command.to_bin_id))
        return doing.result()
    order = work.find(tx, command.fulfillment_order_id)
    picked = demand_by_sku((one.goods.sku_id, one.goods.quantity) for one in known)
    _refuse_more_than_asked(order, picked)
    if order.state is FulfillmentState.ASSIGNED:
        work.claim(tx, context, order.fulfillment_order_id)
    work.pick_lines(tx, order, picked)
    doing.book("pick", known, Places(command.bin_id, stage_of(order.fulfillment_order_id)))
    _finish_if_all_is_picked(tx, context, order.fulfillment_order_id)
    return doing.result()


def _finish_if_all_is_picked(tx: Transaction, context: Context, fulfillment_order_id: str) -> None:
    """Who claimed an order and picked the last of it has it ready to pack; another's flow goes on by itself."""
    order = work.find(tx, fulfillment_order_id)
    done = all(line.picked + line.short == line.quantity for line in order.lines)
    if done and order.device == context.device:
        work.advance(tx, context, fulfillment_order_id, FulfillmentEvent.PICKS_DONE)


def _refuse_more_than_asked(order: work.WorkOrder, picked: Mapping[str, int]) -> None:
    asked = demand_by_sku(
        (line.sku_id, max(0, line.quantity - line.picked - line.short)) for line in order.lines
    )
    faults = tuple(
        FieldFault(
            "quantity",
            f"is {quantity} of {sku_id}, order {order.fulfillment_order_id} still asks for"
            f" {asked.get(sku_id, 0)}: pick no more, put the rest back",
        )
        for sku_id, quantity in picked.items()
        if quantity > asked.get(sku_id, 0)
    )
    if faults:
        raise InvalidInput(
            f"a pick of more than order {order.fulfillment_order_id} asks for: {faults[0]}",
            code="more-than-asked",
            hint="nothing was written; pick what is asked for",
            faults=faults,
        )
    if order.state not in _PICKABLE:
        raise Refused(
            f"order {order.fulfillment_order_id} is {order.state}: nothing is picked for it any more",
            hint="bodega orders shows what is open",
        )


def pack(tx: Transaction, context: Context, command: Command) -> Json:
    """An order's parcel is packed by its flow, with its number and its label; any other is only booked."""
    if not command.fulfillment_order_id:
        return _whole(tx, context, command, command.bin_id, parcel_place(command.sscc))
    if command.lines:
        raise _fault("sku_id", "an order is packed whole: leave the goods out")
    order = work.find(tx, command.fulfillment_order_id)
    FULFILLMENT.step(order.state, FulfillmentEvent.PACK)
    following = labels.peek_sscc(tx)
    if command.sscc not in {"", following}:
        raise _fault("sscc", f"the next parcel number of this node is {following}: leave it out")
    return _by_flow(tx, context, command, Pack(command.fulfillment_order_id, following))


def ship(tx: Transaction, context: Context, command: Command) -> Json:
    """A parcel leaves with the carrier; an order's parcel as its flow would hand it over."""
    order = work.find_by_sscc(tx, command.sscc)
    if order is None or order.state in FULFILLMENT.terminal:
        return _whole(tx, context, command, parcel_place(command.sscc), "")
    if command.lines:
        raise _fault("sku_id", "an order's parcel is shipped whole: leave the goods out")
    if pickups.find(tx, order.fulfillment_order_id).is_fetched:
        raise Refused(
            f"parcel {command.sscc} waits for its customer: no carrier takes it",
            hint="stage it with CMD-STAGE, and hand it over with CMD-COLLECT",
        )
    return _by_flow(tx, context, command, HandOver(order.fulfillment_order_id, command.sscc))


def unpack(tx: Transaction, context: Context, command: Command) -> Json:
    """A parcel is opened again; an order's only by the cancel of its order."""
    order = work.find_by_sscc(tx, command.sscc)
    if order is not None and order.state not in FULFILLMENT.terminal:
        raise Refused(
            f"parcel {command.sscc} belongs to order {order.fulfillment_order_id}, which is {order.state}",
            hint="cancel the order: its parcel is unpacked with it",
        )
    return _whole(tx, context, command, parcel_place(command.sscc), command.to_bin_id)


def _whole(tx: Transaction, context: Context, command: Command, source: str, target: str) -> Json:
    """The goods that are named, or everything of this kind that the book has at the source."""
    doing = Work(tx, context, command)
    known = doing.understood()
    places = Places(source, target)
    if known:
        doing.book(command.command, known, places)
        return doing.result()
    disposition = RECIPES[command.command].source
    there = {
        account: quantity
        for account, quantity in ledger.balances_at(tx, source).items()
        if account.disposition == disposition
    }
    if not there:
        raise Refused(
            f"the book has nothing in {source} to {command.command}",
            hint="name the goods that are there: sku_id and quantity, or lines",
        )
    doing.book_all(command.command, ledger.all_goods(tx, there), places)
    return doing.result()


def _by_flow(tx: Transaction, context: Context, command: Command, effect: Effect) -> Json:
    """What the floor would have doing for an order, with its life cycle."""
    before = tx.head.seq
    effects.execute(tx, context, effect)
    return {"command": command.command, "seqs": list(range(before + 1, tx.head.seq + 1)), "goods": []}


def _fault(where: str, problem: str) -> InvalidInput:
    return InvalidInput(f"{where}: {problem}", faults=(FieldFault(where, problem),))

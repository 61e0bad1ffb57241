"""Commands on the promise side: reserve, release, post, expire, override. They authorize, and may refuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bodega.core.commands import Command
from bodega.core.promise import demand_by_sku, refuse_beyond
from bodega.core.routing.alone import PICKUP
from bodega_agent.rules.floor.alone import Decided, decided
from bodega_agent.store import alone, decisions, promises
from bodega_agent.store.booking import Json, Work, said
from bodega_agent.store.transaction import Context, Transaction

_MS_PER_S = 1_000


def reserve(tx: Transaction, context: Context, command: Command) -> Json:
    """Promise one SKU, or all lines of a basket or none, if the bundle in force lets a node; the decision is kept."""
    known = Work(tx, context, command).understood(moves=False)
    lines = [
        promises.BasketLine(line.reservation_id, one.goods.sku_id, one.goods.quantity)
        for line, one in zip(command.lines, known, strict=True)
    ]
    made = _decided(tx, lines)
    done = promises.reserve_basket(
        tx,
        context,
        lines=lines,
        reference=command.reference,
        expires_after_ms=command.expires_after_s * _MS_PER_S,
    )
    decisions.keep(tx, made)
    return {
        "command": command.command,
        "seqs": [one["seq"] for one in done["reservations"]],
        "goods": [said(one) for one in known],
        **done,
    }


def _decided(tx: Transaction, lines: Sequence[promises.BasketLine]) -> Decided:
    """What the bundle in force says of a promise of this node's own, where its rights are enough.

    Refused as `promises.reserve`, and with code "not-by-the-bundle" (`NotAlone`).
    """
    tx.gate.check_promise()
    today = tx.today()
    demand = demand_by_sku((line.sku_id, line.quantity) for line in lines)
    standings = {sku_id: promises.standing(tx, sku_id, today) for sku_id in demand}
    refuse_beyond(standings, demand)
    available = {sku_id: one.available for sku_id, one in standings.items()}
    made = decided(alone.own_promise(tx, available, demand), PICKUP, lines[0].reservation_id)
    if not made.choice.shares:
        raise decisions.NotAlone(made, "this node may not promise that alone", _ASK_THE_HUB)
    return made


_ASK_THE_HUB = (
    "order it at the hub, which promises for all nodes; what this node may decide: bodega routing show"
)


def release(tx: Transaction, context: Context, command: Command) -> Json:
    """Give back what is pending."""
    return _told(command, promises.release(tx, context, reservation_id=command.reservation_id))


def expire(tx: Transaction, context: Context, command: Command) -> Json:
    """End a reservation whose time is over; refused before that."""
    return _told(command, promises.expire(tx, context, reservation_id=command.reservation_id))


def post(tx: Transaction, context: Context, command: Command) -> Json:
    """Goods left a bin for a reservation; the SKU is the one that was reserved."""
    sku_id = promises.sku_of(tx, command.reservation_id)
    named = replace(command, lines=tuple(replace(line, sku_id=sku_id) for line in command.lines))
    (known,) = Work(tx, context, named).understood()
    before = tx.head.seq
    done = promises.post(
        tx,
        context,
        reservation_id=command.reservation_id,
        goods=known.goods,
        bin_id=command.bin_id,
        final=command.final,
    )
    seqs = list(range(before + 1, tx.head.seq + 1))
    return {**_told(command, done), "seqs": seqs, "goods": [said(known)]}


def override(tx: Transaction, context: Context, command: Command) -> Json:
    """Set a rule aside for a SKU or a lot, or put it in force again."""
    if command.close:
        return _told(command, promises.close_override(tx, context, override_id=command.override_id))
    (known,) = Work(tx, context, command).understood(moves=False)
    done = promises.open_override(
        tx,
        context,
        override_id=command.override_id,
        rule=command.rule,
        sku_id=known.goods.sku_id,
        lot=known.goods.lot,
        quantity=known.goods.quantity,
        reason=command.reason,
        expires_after_ms=command.expires_after_s * _MS_PER_S,
    )
    return _told(command, done)


def _told(command: Command, done: Json) -> Json:
    return {"command": command.command, "seqs": [done["seq"]], **done}

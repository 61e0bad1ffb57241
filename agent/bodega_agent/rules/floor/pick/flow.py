"""Picking as a table: one order, a batch, or a cart with totes; they differ in what begins them and in totes."""

from __future__ import annotations

from bodega_agent.rules.floor.pick import camera, shorts, start, steps, stopped, totes, zero
from bodega_agent.rules.floor.pick.prompts import PROMPTS
from bodega_agent.rules.floor.pick.work import settle
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import PICK_STEPS, FloorStep
from bodega_agent.rules.floor.table import Flow, Move, remind, without_scan

S = FloorStep

# Where a walk may stand after something was done; the last question of an order alone leads to the packing bench.
_WALK = (S.PICK_BIN, S.PICK_ITEM, S.PICK_CHECK, S.PACK, S.IDLE)
_ASKS = (S.PICK_TOTE, S.PICK_ZERO)
_BEGUN = (*_WALK, *_ASKS, S.LABEL)

_BEGINS = {
    (S.IDLE, Kind.PICK): Move(without_scan(start.start), (*_BEGUN, S.TAKE_OVER)),
    (S.IDLE, Kind.BATCH): Move(without_scan(start.batch), (*_BEGUN, S.TAKE_OVER)),
    (S.IDLE, Kind.CART): Move(without_scan(start.cart), (*_BEGUN, S.TAKE_OVER, S.CART_TOTE)),
    (S.TAKE_OVER, Kind.ACCEPT): Move(without_scan(start.take_over), _BEGUN),
    (S.TAKE_OVER, Kind.PICK): remind(S.TAKE_OVER),
    (S.CART_TOTE, Kind.TOTE): Move(start.cart_tote, (S.CART_TOTE, *_WALK)),
    (S.CART_TOTE, Kind.DONE): Move(without_scan(start.cart_ready), _WALK),
    (S.CART_TOTE, Kind.CART): remind(S.CART_TOTE),
}
_AT_THE_SHELF = {
    (S.PICK_BIN, Kind.BIN): Move(steps.into_bin, (S.PICK_BIN, S.PICK_ITEM)),
    (S.PICK_BIN, Kind.ITEM): Move(camera.show_again, (S.PICK_BIN,)),
    (S.PICK_ITEM, Kind.ITEM): Move(steps.item, (*_WALK, *_ASKS)),
    (S.PICK_ITEM, Kind.NUMBER): Move(steps.number, (*_WALK, *_ASKS)),
    (S.PICK_ITEM, Kind.BIN): Move(steps.other_bin, (S.PICK_ITEM, S.PICK_TOTE)),
    (S.PICK_ITEM, Kind.LOT): Move(without_scan(steps.other_lot), (S.PICK_ITEM, S.PICK_TOTE)),
    (S.PICK_CHECK, Kind.ITEM): Move(camera.show_again, (S.PICK_CHECK,)),
    (S.PICK_CHECK, Kind.ACCEPT): Move(without_scan(camera.accept), (S.PICK_CHECK, S.PACK, S.IDLE)),
    (S.PICK_CHECK, Kind.PICK): remind(S.PICK_CHECK),
    **{
        (step, kind): move
        for step in (S.PICK_BIN, S.PICK_ITEM)
        for kind, move in {
            Kind.PICK: remind(step),
            Kind.ACCEPT: Move(without_scan(camera.accept), (step,)),
            Kind.SKIP: Move(without_scan(steps.skip), (S.PICK_BIN, S.PICK_ITEM, S.PICK_TOTE)),
            Kind.SHORT: Move(without_scan(shorts.short), (*_WALK, S.PICK_SHORT, S.PICK_SUBSTITUTE, *_ASKS)),
            Kind.TOTE: Move(totes.tote, (step, S.PICK_BIN)),
            Kind.FULL: Move(without_scan(totes.full), (step, S.PICK_FULL)),
        }.items()
    },
}
_SHORTS = {
    (S.PICK_SHORT, Kind.WORD): Move(
        shorts.why, (*_WALK, S.PICK_SHORT, S.PICK_DAMAGED, S.PICK_SUBSTITUTE, *_ASKS)
    ),
    (S.PICK_DAMAGED, Kind.NUMBER): Move(shorts.damaged, (*_WALK, S.PICK_DAMAGED, S.PICK_SUBSTITUTE, *_ASKS)),
    (S.PICK_DAMAGED, Kind.ITEM): Move(
        shorts.damaged_unit, (*_WALK, S.PICK_DAMAGED, S.PICK_SUBSTITUTE, *_ASKS)
    ),
    (S.PICK_SUBSTITUTE, Kind.WORD): Move(shorts.substitute, (*_WALK, S.PICK_SUBSTITUTE, *_ASKS)),
    (S.PICK_SUBSTITUTE, Kind.PICK): remind(S.PICK_SUBSTITUTE),
    **{
        (step, Kind.PICK): Move(without_scan(shorts.never_mind), (S.PICK_BIN, S.PICK_ITEM, S.PICK_TOTE))
        for step in (S.PICK_SHORT, S.PICK_DAMAGED)
    },
}
_TOTES_AND_ZEROS = {
    (S.PICK_TOTE, Kind.TOTE): Move(totes.put_in, (*_WALK, *_ASKS)),
    (S.PICK_TOTE, Kind.FULL): Move(without_scan(totes.full), (S.PICK_FULL,)),
    (S.PICK_TOTE, Kind.PICK): remind(S.PICK_TOTE),
    (S.PICK_FULL, Kind.TOTE): Move(totes.another, (*_WALK, S.PICK_FULL, S.PICK_ZERO)),
    (S.PICK_FULL, Kind.PICK): Move(without_scan(totes.not_full), (*_WALK, *_ASKS)),
    (S.PICK_ZERO, Kind.WORD): Move(zero.answered, (*_WALK, S.PICK_ZERO)),
    (S.PICK_ZERO, Kind.NUMBER): Move(zero.left, _WALK),
    (S.PICK_ZERO, Kind.PICK): remind(S.PICK_ZERO),
}
_NEWS = {
    **{
        (step, Kind.VERDICT): Move(camera.verdict, (step, S.PACK, S.IDLE))
        for step in (S.PICK_BIN, S.PICK_ITEM, S.PICK_CHECK, S.PICK_TOTE, S.PICK_ZERO, S.PICK_SUBSTITUTE)
    },
    **{
        (step, Kind.CANCELLED): Move(stopped.cancelled, (step, *_WALK, *_ASKS))
        for step in (*sorted(PICK_STEPS), S.CART_TOTE)
    },
}

PICK = Flow("pick", {**_BEGINS, **_AT_THE_SHELF, **_SHORTS, **_TOTES_AND_ZEROS, **_NEWS}, PROMPTS, settle)

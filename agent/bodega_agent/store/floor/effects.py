"""What the floor rules ask for, done: each effect is one function of its flow's file.

All effects of one scan, and the session that they lead to, share one transaction and one `cmd_id`.
"""

from __future__ import annotations

from bodega_agent.rules.floor.effects import Effect
from bodega_agent.store.floor import (
    common,
    count,
    handover,
    hold,
    pack,
    people,
    pick,
    pickup,
    putaway,
    receive,
    replenish,
    resume,
    returns,
    transfer,
)
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.transaction import Context, Transaction

DOES: Doers = {
    **common.DOES,
    **receive.DOES,
    **putaway.DOES,
    **replenish.DOES,
    **hold.DOES,
    **pick.DOES,
    **pack.DOES,
    **handover.DOES,
    **pickup.DOES,
    **returns.DOES,
    **count.DOES,
    **transfer.DOES,
    **people.DOES,
    **resume.DOES,
}


def execute(tx: Transaction, context: Context, effect: Effect) -> None:
    """Do one effect; raises a BodegaError if the store's state forbids it."""
    DOES[type(effect)](tx, context, effect)

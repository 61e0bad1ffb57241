"""Promises, overrides and pickups whose time is over end as events, by the monotonic clock: never early. So do
rests of PINs.

After a reboot that clock begins at zero, so what was under way begins anew; `meta.boot_id` tells whether it has.
"""

from __future__ import annotations

from bodega.limits import EXPIRIES_PER_COMMIT_MAX
from bodega.limits_floor import PIN_REST_S
from bodega_agent.rules.floor.pickup.ending import give_up
from bodega_agent.store import pickups, promises
from bodega_agent.store.floor import effects
from bodega_agent.store.overrides import expire_override
from bodega_agent.store.transaction import Context, Transaction

_BEGIN_ANEW = (
    """UPDATE reservation SET boot_id = ?1, expires_at_ms = ?2 + expires_after_ms
       WHERE state = 'pending' AND expires_after_ms > 0 AND boot_id <> ?1""",
    """UPDATE rule_override SET boot_id = ?1, expires_at_ms = ?2 + expires_after_ms
       WHERE state = 'open' AND boot_id <> ?1""",
    """UPDATE pickup SET boot_id = ?1, expires_at_ms = ?2 + expires_after_ms
       WHERE outcome = '' AND expires_after_ms > 0 AND boot_id <> ?1""",
    f"UPDATE pin_tries SET rests_until_ms = ?2 + {PIN_REST_S * 1000} WHERE rests_until_ms > 0 AND ?1 <> ''",  # noqa: S608  # a constant
)
_DUE_RESERVATIONS = """
SELECT reservation_id FROM reservation
WHERE state = 'pending' AND expires_after_ms > 0 AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?
"""
_DUE_OVERRIDES = """
SELECT override_id FROM rule_override
WHERE state = 'open' AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?
"""


def expire_due(tx: Transaction) -> int:
    """End what is due, at most EXPIRIES_PER_COMMIT_MAX of each kind; returns how many ended."""
    now = tx.clock()
    if tx.get("boot_id") != now.boot_id:
        for statement in _BEGIN_ANEW:
            tx.execute(statement, tuple(now))
        pickups.adopt(tx)
        tx.put("boot_id", now.boot_id)
    tx.execute("DELETE FROM pin_tries WHERE rests_until_ms BETWEEN 1 AND ?", (now.ms,))
    bound = (now.ms, EXPIRIES_PER_COMMIT_MAX)
    due = [row[0] for row in tx.execute(_DUE_RESERVATIONS, bound)]
    for reservation_id in due:
        promises.expire(tx, Context(f"expire-{reservation_id}"), reservation_id=reservation_id)
    over = [row[0] for row in tx.execute(_DUE_OVERRIDES, bound)]
    for override_id in over:
        expire_override(tx, Context(f"expire-{override_id}"), override_id=override_id)
    unfetched = pickups.due(tx, *bound)
    for fulfillment_order_id, sscc in unfetched:
        context = Context(f"expire-pickup-{fulfillment_order_id}")
        for effect in give_up(fulfillment_order_id, sscc, refused=False):
            effects.execute(tx, context, effect)
    return len(due) + len(over) + len(unfetched)

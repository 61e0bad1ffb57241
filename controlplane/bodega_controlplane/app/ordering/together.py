"""Orders that wait at the same time are placed in one transaction: what it costs to look and to commit is shared.

They are decided in their turn, each as if those before it had been placed. One that is refused leaves nothing behind
and does not keep the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bodega.errors import BodegaError
from bodega_controlplane.app import idempotency
from bodega_controlplane.app.idempotency import Request, StoredResponse
from bodega_controlplane.app.ordering import orders, placing
from bodega_controlplane.app.ordering.choosing import hold_promises
from bodega_controlplane.app.ordering.network import Network
from bodega_controlplane.app.ordering.placing import Plan
from bodega_controlplane.app.views import OrderDraft, OrderView
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store.transaction import Transaction
from bodega_controlplane.vault import Vault


class Wish(NamedTuple):
    """An order that is to be placed at most once; `answer` makes of it what its key is answered with from then on."""

    request: Request
    draft: OrderDraft
    policy: Policy
    answer: Callable[[OrderView], StoredResponse]


def place_together(
    tx: Transaction, wishes: Sequence[Wish], vault: Vault
) -> list[StoredResponse | BodegaError]:
    """For each what it is answered, or what was raised of it (see `idempotency.begin`, `placing.plan`).

    No two have the same key. Raises Contended.
    """
    answers = dict(enumerate(idempotency.begin_all(tx, [one.request for one in wishes], vault)))
    network = Network(tx)
    fresh = [number for number, answer in answers.items() if answer is None]
    network.look_at({line.sku_id for number in fresh for line in wishes[number].draft.lines})
    plans: dict[int, Plan] = {}
    for number in fresh:
        one = wishes[number]
        try:
            plans[number] = placing.plan(tx, one.request.caller, one.draft, one.policy, network)
        except BodegaError as refusal:
            answers[number] = refusal
    hold_promises(tx, [one.promise for one in plans.values() if one.promise])
    with tx.gathered():
        for number, placed in zip(plans, placing.write(tx, list(plans.values())), strict=True):
            one = wishes[number]
            answer = one.answer(orders.view_of(one.request.caller, one.draft, placed))
            idempotency.finish(tx, one.request, answer, vault)
            answers[number] = answer
    return [answer for answer in answers.values() if answer is not None]

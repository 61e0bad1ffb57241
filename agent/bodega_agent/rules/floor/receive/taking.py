"""Goods come in: the effects of it, what is noted of it, and the receipt as it stands then."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.expiry import is_past
from bodega.core.ledger import DOCK, Disposition, Entered, Goods, unit_place
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.prompt import units
from bodega_agent.rules.floor.receive.against import Came, is_announced, open_for, with_more
from bodega_agent.rules.floor.receive.doing import Fresh, Receiving
from bodega_agent.rules.floor.receive.effects import OpenReceipt, Receive, SetApart
from bodega_agent.rules.floor.receive.facts import Delivery, ReceiveFacts
from bodega_agent.rules.floor.session import Session


def doing_of(session: Session) -> Receiving:
    """What the session remembers of receiving."""
    return session.doing if isinstance(session.doing, Receiving) else Receiving()


def place_of(doing: Receiving) -> str:
    """Where goods go that come in now: the dock, or the pallet that is being filled."""
    return unit_place(doing.unit) if doing.unit else DOCK


def with_receipt(
    doing: Receiving, facts: ReceiveFacts
) -> tuple[Receiving, ReceiveFacts, Delivery, tuple[Effect, ...]]:
    """The receipt that goods are counted on: the session's, or a blind one that is opened by what comes first."""
    if facts.delivery is not None:
        return doing, facts, facts.delivery, ()
    opened = OpenReceipt(facts.next_receipt_id)
    delivery = Delivery(facts.next_receipt_id)
    doing = replace(doing, receipt_id=facts.next_receipt_id)
    return doing, replace(facts, delivery=delivery), delivery, (opened,)


def take(
    doing: Receiving,
    facts: ReceiveFacts,
    fresh: Fresh,
    quantity: int,
    *,
    expiry: str = "",
    expired: bool = False,
) -> tuple[Receiving, ReceiveFacts, str, tuple[Effect, ...]]:
    """`quantity` more units of what was scanned come in. What has expired is received and set apart at once.

    The rest of the answer: what is remembered, the facts as they will be, what to say, and the effects.
    """
    doing, facts, delivery, opened = with_receipt(doing, facts)
    goods = Goods(fresh.sku_id, quantity, fresh.lot, serials=fresh.serials)
    place = place_of(doing)
    effects: list[Effect] = [
        *opened,
        Receive(goods, expiry, _entered(fresh, quantity), delivery.receipt_id, place),
    ]
    said = f"Received {units(quantity, fresh.name)}."
    surplus, beyond = _beyond(delivery, fresh, quantity)
    effects += surplus
    expired = expired or is_past(expiry, facts.today)
    if expired:
        effects += (
            SetApart(delivery.receipt_id, goods, place, Disposition.EXPIRED),
            NoteException(
                "expired",
                reference=delivery.receipt_id,
                sku_id=fresh.sku_id,
                lot=fresh.lot,
                quantity=quantity,
            ),
        )
        beyond = f"{beyond} Lot {fresh.lot} has expired: set it apart.".strip()
    more = Came(quantity, held=quantity if expired else 0)
    lines = with_more(delivery.lines, fresh.sku_id, fresh.lot, more, fresh.name)
    facts = replace(facts, delivery=replace(delivery, lines=lines))
    counted = 0 if expired else fresh.counted + quantity
    doing = replace(doing, fresh=replace(fresh, counted=counted), apart="")
    return doing, facts, f"{said} {beyond}".strip(), tuple(effects)


def _entered(fresh: Fresh, quantity: int) -> Entered | None:
    """So many cases, where cases were scanned."""
    said = fresh.entered
    return replace(said, quantity=said.quantity * quantity // fresh.quantity) if said else None


def _beyond(delivery: Delivery, fresh: Fresh, quantity: int) -> tuple[tuple[Effect, ...], str]:
    """What of it nobody has announced: noted, and said; nothing of a blind receipt."""
    beyond = quantity - open_for(delivery.lines, fresh.sku_id, fresh.lot) if delivery.notice_id else 0
    if beyond <= 0:
        return (), ""
    announced = is_announced(delivery.lines, fresh.sku_id)
    kind, said = (
        ("over_receipt", f"{beyond} more than announced.")
        if announced
        else ("not_announced", f"Nobody has announced {fresh.name}.")
    )
    noted = NoteException(
        kind,
        reference=delivery.receipt_id,
        sku_id=fresh.sku_id,
        lot=fresh.lot,
        quantity=beyond,
    )
    return (noted,), said

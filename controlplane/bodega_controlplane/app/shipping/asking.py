"""A person asks what a parcel costs: every service from every node, and what could be promised."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.parcels import Goods
from bodega.core.rates import preference
from bodega.limits import TIME_MS_MAX
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.shipping.checks import are_capitals
from bodega_controlplane.app.shipping.offering import promises_from
from bodega_controlplane.app.shipping.quoting import Sent, priced_at
from bodega_controlplane.app.shipping.views import Priced, Promise
from bodega_controlplane.store import nodes
from bodega_controlplane.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Question:
    """A parcel: `node_id` empty means from every node; weight and volume are those of the goods."""

    node_id: str
    country: str
    postal_code: str
    weight_g: int
    volume_ml: int
    residential: bool
    at_ms: int


def quote(tx: Transaction, question: Question) -> tuple[tuple[tuple[str, Priced], ...], tuple[Promise, ...]]:
    """All quotes with their nodes, the best first, those of carriers that are down last; and promises by class.

    Raises InvalidInput.
    """
    faults = Faults()
    known = nodes.ids(tx)
    if question.node_id and question.node_id not in known:
        faults.add("node_id", f"is no node: {question.node_id[:64]!r}")
    if not (len(question.country) == 2 and are_capitals(question.country)):
        faults.add("country", "must be an ISO 3166-1 alpha-2 code such as PT")
    faults.text("postal_code", question.postal_code, empty=True)
    faults.number("at_ms", question.at_ms, 0, TIME_MS_MAX)
    faults.raise_if_any("the question")
    goods = (Goods(1, question.weight_g, question.volume_ml),)
    sent = Sent(question.country, question.postal_code, goods, question.residential)
    asked = [question.node_id] if question.node_id else known
    shippers = priced_at(tx, asked, sent, question.at_ms)
    priced = [(node_id, one) for alike in shippers for node_id in alike.node_ids for one in alike.priced]
    priced.sort(key=_best)
    return tuple(priced), promises_from(shippers)


def _best(found: tuple[str, Priced]) -> tuple[object, ...]:
    node_id, one = found
    return one.suspended, one.price_minor, preference(one.quote), node_id

"""What shops and operators have the hub do, right and wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bodega.errors import BodegaError
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue, rights
from bodega_controlplane.app.goods.rights_views import RightsDraft
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.app.ordering import orders, reassigning
from bodega_controlplane.app.ordering.reassigning import Move
from bodega_controlplane.app.views import Caller, DraftLine, GeoPoint, OrderDraft, Recipient
from bodega_controlplane.store.transaction import Transaction
from simulator.first import node_draft, sku_draft
from simulator.plan import STRICT, Step
from simulator.world import KEY, World

RECIPIENT = Recipient("Somebody", ("Rua Nova 1",), "1100-001", "PT", GeoPoint(38.7, -9.1))
Action = Callable[[World, Step], None]


def order(world: World, step: Step) -> None:
    """A shop orders one SKU."""
    _place(world, step, DraftLine(step.values["sku_id"], step.values["quantity"]))


def basket(world: World, step: Step) -> None:
    """A shop orders the same SKU twice in one order."""
    values = step.values
    _place(world, step, DraftLine(values["sku_id"], values["quantity"]), DraftLine(STRICT, values["other"]))


def split(world: World, step: Step) -> None:
    """A shop orders more than a node has, and lets all of them share it."""
    line = DraftLine(step.values["sku_id"], step.values["quantity"])
    _place(world, step, line, parts_max=len(world.nodes))


def _place(world: World, step: Step, *lines: DraftLine, parts_max: int = 1) -> None:
    draft = OrderDraft(f"R-{step.number}", lines, RECIPIENT, parts_max=parts_max)
    request_id = f"{step.number}-order"

    def placed(answer: Any) -> None:
        order_id = answer.body.decode()
        if order_id not in world.facts.orders:
            world.facts.orders.append(order_id)

    def place(tx: Transaction, caller: Caller) -> bytes:
        return orders.place_order(tx, caller, draft, world.hub.policy).order_id.encode()

    _ask(world, request_id, "storefront", place, placed)


def _ask(
    world: World,
    request_id: str,
    channel: str,
    work: Callable[[Transaction, Caller], bytes],
    then: Callable[[StoredResponse], None] = lambda _answer: None,
) -> None:
    def heard(answer: Any) -> None:
        if not isinstance(answer, BodegaError):
            then(answer)

    world.then(world.hub, request_id, heard)
    world.hub.request(request_id, channel, work)


def cancel(world: World, step: Step) -> None:
    """Somebody cancels an order, whatever has become of it."""
    placed = world.facts.orders
    if placed:
        order_id = placed[step.values["nth"] % len(placed)]

        def work(tx: Transaction, caller: Caller) -> bytes:
            return orders.cancel_order(tx, caller, order_id).state.value.encode()

        _ask(world, f"{step.number}-cancel", "storefront", work)


def reassign(world: World, step: Step) -> None:
    """A person at the centre gives an order to this node, whoever works on it."""
    placed = world.facts.orders
    if placed:
        move = Move(placed[step.values["nth"] % len(placed)], "somebody says so", step.who)

        def work(tx: Transaction, caller: Caller) -> bytes:
            return reassigning.reassign(tx, caller, move, world.hub.policy).node_id.encode()

        _ask(world, f"{step.number}-reassign", "operator", work)


def look_after(world: World, step: Step) -> None:
    """The hub sees to what follows from facts: orders that were handed back, or lack units, go elsewhere."""
    world.hub.look_after(f"{step.number}-look_after")


def grant(world: World, step: Step) -> None:
    """An operator gives a node rights."""
    draft = RightsDraft(f"{step.number}-grant", step.who, step.values["sku_id"], step.values["quantity"])
    _ask(
        world,
        draft.request_id,
        "operator",
        lambda tx, caller: rights.grant(tx, caller, draft, world.hub.policy).transfer_id.encode(),
    )


def recall(world: World, step: Step) -> None:
    """An operator asks a node for rights."""
    draft = RightsDraft(f"{step.number}-recall", step.who, step.values["sku_id"], step.values["quantity"])
    _ask(
        world,
        draft.request_id,
        "operator",
        lambda tx, caller: rights.recall(tx, caller, draft).transfer_id.encode(),
    )


def configure(world: World, step: Step) -> None:
    """An operator sets a node's configuration, at times one that makes no sense."""
    settings = {"vision.mode": "advisory"} if step.values["right"] else {"vision.mode": "psychic"}

    def work(tx: Transaction, caller: Caller) -> bytes:
        return str(nodes.set_desired_state(tx, caller, step.who, settings, KEY.sign)).encode()

    _ask(world, f"{step.number}-configure", "operator", work)


def rename(world: World, step: Step) -> None:
    """A SKU gets another name: every node is told."""
    draft = sku_draft(step.values["sku_id"], f"version {step.number}")

    def work(tx: Transaction, caller: Caller) -> bytes:
        return str(catalogue.upsert_skus(tx, caller, [draft])).encode()

    _ask(world, f"{step.number}-rename", "operator", work)


def profile(world: World, step: Step) -> None:
    """A node's profile is registered again."""

    def work(tx: Transaction, caller: Caller) -> bytes:
        return nodes.register_node(tx, caller, node_draft(step.who)).node_id.encode()

    _ask(world, f"{step.number}-profile", "operator", work)


def operator_error(world: World, step: Step) -> None:
    """An operator asks for what can not be; it is refused, or does no harm."""
    kind = step.values["kind"]
    wrong = {"recall": recall, "grant": grant, "config": configure, "cancel": cancel}[kind]
    values = {"sku_id": STRICT, "quantity": 900_000, "right": False, "nth": 0}
    wrong(world, Step(step.number, step.at_s, step.what, step.who, values))


ACTIONS: Mapping[str, Action] = {
    "order": order,
    "basket": basket,
    "cancel": cancel,
    "split": split,
    "reassign": reassign,
    "look_after": look_after,
    "grant": grant,
    "recall": recall,
    "configure": configure,
    "rename": rename,
    "profile": profile,
    "operator_error": operator_error,
}

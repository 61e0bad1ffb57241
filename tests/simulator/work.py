"""What people do at the nodes: associates with scanners, tills, lorries between nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bodega.errors import BodegaError
from bodega_agent.store.transaction import Transaction
from simulator import jobs
from simulator.node import SimNode
from simulator.plan import BINS, LOOSE, SERIAL, Step
from simulator.world import World

Json = dict[str, Any]
Action = Callable[[World, Step], None]


def one_after_the_other(world: World, node: SimNode, bodies: Sequence[Json]) -> None:
    """A person does one thing, and the next when the first was answered; a refusal ends it."""
    if not bodies:
        return
    first, *rest = bodies

    def go_on(answer: Any) -> None:
        if not isinstance(answer, BodegaError):
            one_after_the_other(world, node, rest)

    world.facts.commands.setdefault(node.name, {})[first["cmd_id"]] = first
    world.then(node, first["cmd_id"], go_on)
    node.command(first)


def _look(
    world: World,
    node: SimNode,
    step: Step,
    question: Callable[[Transaction], Any],
    found: Callable[[Any], None],
) -> None:
    """A person looks something up before she acts."""
    world.then(node, f"{step.number}-look", found)
    node.write(f"{step.number}-look", question)


def _nth(names: Sequence[str], step: Step) -> str:
    return names[step.values["nth"] % len(names)] if names else ""


def _command(step: Step, name: str, **body: Any) -> Json:
    return {"command": name, "cmd_id": f"{step.number}-{name}", **body}


def _goods(world: World, step: Step) -> Json:
    """What a step is about; serials are new ones, made at this step."""
    sku_id, quantity = step.values["sku_id"], step.values["quantity"]
    if sku_id != SERIAL:
        return {"sku_id": sku_id, "quantity": quantity}
    serials = [f"S{step.number}-{unit}" for unit in range(quantity)]
    return {"sku_id": sku_id, "quantity": quantity, "serials": serials}


def stock(world: World, step: Step) -> None:
    """A delivery is received and put away."""
    goods = _goods(world, step)
    bodies = [
        _command(step, "receive", **goods),
        _command(step, "put_away", to_bin_id=step.values["bin_id"], **goods),
    ]
    one_after_the_other(world, world.nodes[step.who], bodies)


def move(world: World, step: Step) -> None:
    """Goods go from one bin to the other, as many as the book has there at most."""
    node, values = world.nodes[step.who], step.values
    source, target = values["bin_id"], BINS[1 - BINS.index(values["bin_id"])]

    def moved(units: Any) -> None:
        quantity = min(values["quantity"], units)
        if quantity > 0:
            body = _command(step, "move", sku_id=values["sku_id"], quantity=quantity, from_bin_id=source)
            one_after_the_other(world, node, [{**body, "to_bin_id": target}])

    _look(world, node, step, lambda tx: jobs.units_in(tx, values["sku_id"], source), moved)


def count(world: World, step: Step) -> None:
    """A count finds more or fewer cups than the book."""
    values = step.values
    body = _command(step, "count", sku_id=LOOSE, quantity=values["quantity"], bin_id=values["bin_id"])
    one_after_the_other(world, world.nodes[step.who], [body])


def scrap(world: World, step: Step) -> None:
    """Cups break."""
    values = step.values
    body = _command(step, "scrap", sku_id=LOOSE, quantity=values["quantity"], bin_id=values["bin_id"])
    one_after_the_other(world, world.nodes[step.who], [{**body, "reason": "broken"}])


def bring_back(world: World, step: Step) -> None:
    """A customer returns something."""
    body = _command(step, "return", sku_id=LOOSE, quantity=step.values["quantity"])
    one_after_the_other(world, world.nodes[step.who], [body])


def twice(world: World, step: Step) -> None:
    """Two devices send the same command."""
    node = world.nodes[step.who]
    body = _command(step, "receive", **_goods(world, step))
    one_after_the_other(world, node, [body])
    node.command(body, device="scanner-2")


def reserve(world: World, step: Step) -> None:
    """Somebody walks in; the node promises from its rights."""
    node, values = world.nodes[step.who], step.values
    reservation_id = f"PU-{step.number}"
    lasting = {"expires_after_s": values["lasts_s"]} if values["lasts_s"] else {}
    goods = {"sku_id": values["sku_id"], "quantity": values["quantity"]}
    body = _command(step, "reserve", reservation_id=reservation_id, **goods, **lasting)
    world.facts.reservations.setdefault(step.who, []).append(reservation_id)
    one_after_the_other(world, node, [body])


def post(world: World, step: Step) -> None:
    """Goods are handed over for a reservation, if they are on a shelf."""
    node = world.nodes[step.who]
    reservation_id = _nth(world.facts.reservations.get(step.who, []), step)

    def found(where: Any) -> None:
        if where is not None:
            body = _command(step, "post", reservation_id=reservation_id, bin_id=where, quantity=1)
            one_after_the_other(world, node, [{**body, "final": step.values["final"]}])

    if reservation_id:
        _look(world, node, step, lambda tx: jobs.bin_for(tx, reservation_id), found)


def release(world: World, step: Step) -> None:
    """A promise is given back."""
    if reservation_id := _nth(world.facts.reservations.get(step.who, []), step):
        body = _command(step, "release", reservation_id=reservation_id)
        one_after_the_other(world, world.nodes[step.who], [body])


def transfer(world: World, step: Step) -> None:
    """Goods go by lorry to the next node; now and then the lorry arrives before its departure is recorded."""
    node, values = world.nodes[step.who], step.values
    names = list(world.nodes)
    target = world.nodes[names[(names.index(step.who) + 1) % len(names)]]
    transfer_id = f"T-{step.number}"

    def loaded(goods: Any) -> None:
        if goods is None:
            return
        bin_id, goods = goods
        out = _command(step, "transfer_out", transfer_id=transfer_id, bin_id=bin_id, **goods)
        into = _command(step, "transfer_in", transfer_id=transfer_id, **goods)
        # A serial that is still in the book there would be in two places: its lorry is always recorded in order.
        late_s = values["takes_s"] + 1.0 if values["told_late"] and values["sku_id"] != SERIAL else 0.0
        world.after(late_s, lambda: one_after_the_other(world, node, [out]))
        arrive = [into, _command(step, "put_away", to_bin_id=BINS[0], **goods)]
        if late_s:
            world.after(values["takes_s"], lambda: one_after_the_other(world, target, arrive))
        else:
            travel = lambda: one_after_the_other(world, target, arrive)  # noqa: E731 - named for what it is
            world.then(node, out["cmd_id"], lambda _answer: world.after(values["takes_s"], travel))

    if target is not node:
        _look(world, node, step, lambda tx: jobs.loadable(tx, values["sku_id"], values["quantity"]), loaded)


def fulfil(world: World, step: Step) -> None:
    """An associate takes the oldest order that is not done, and works on it as far as she gets."""
    node = world.nodes[step.who]

    def found(order: Any) -> None:
        if order is not None:
            bodies = _rest_of(step, order)
            one_after_the_other(world, node, bodies[: _STOPS[step.values["stops_after"]] or len(bodies)])

    _look(world, node, step, jobs.oldest_order, found)


_STOPS: Mapping[str, int] = {"pick": 1, "pack": 2, "ship": 0}


def _rest_of(step: Step, order: Json) -> list[Json]:
    """The commands that an order still needs. "label" is the printer's and the scanner's part."""
    name = {"fulfillment_order_id": order["id"]}
    bodies: list[Json] = []
    if order["state"] in ("assigned", "picking"):
        for line in order["lines"]:
            body = _command(step, "pick", **name, sku_id=line["sku_id"], quantity=line["quantity"])
            bodies.append({**body, "cmd_id": f"{step.number}-pick-{line['line']}", "bin_id": line["bin_id"]})
    if order["state"] != "packed" and order["state"] != "labelled":
        bodies.append(_command(step, "pack", **name))
    if order["state"] != "labelled":
        bodies.append({"command": "label", "cmd_id": f"{step.number}-label", **name})
    bodies.append({"command": "ship", "cmd_id": f"{step.number}-ship", **name})
    return bodies


def hand_back(world: World, step: Step) -> None:
    """An associate gives an order back of which nothing was found, or that nobody has begun."""
    node = world.nodes[step.who]

    def found(order: Any) -> None:
        if order is not None:
            body = {"command": "hand_back", "cmd_id": f"{step.number}-hand_back"}
            one_after_the_other(world, node, [{**body, "fulfillment_order_id": order}])

    _look(world, node, step, jobs.untouched_order, found)


ACTIONS: Mapping[str, Action] = {
    "stock": stock,
    "move": move,
    "count": count,
    "scrap": scrap,
    "return": bring_back,
    "twice": twice,
    "reserve": reserve,
    "post": post,
    "release": release,
    "transfer": transfer,
    "work": fulfil,
    "hand_back": hand_back,
}

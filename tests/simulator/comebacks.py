"""Machines that lose their memory and come back: a node from an old backup or with an empty disk, a node that was
copied, a hub from an old copy of its database. A person notices, and approves what needs approval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bodega_controlplane.app.fleet import epochs
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store.transaction import Transaction
from simulator.plan import LOOSE, Step
from simulator.world import World
from support.faulty_disk import Disk

DOWN_S = 2.0
OPERATOR_LOOKS_S = 5.0

Action = Callable[[World, Step], None]


def restored_node(world: World, step: Step) -> None:
    """A node's disk is put back as it was; declared as a restore of its backup, or behind everybody's back."""
    node = world.nodes.get(step.who)
    if node is None or not node.is_ready:
        return
    name, is_declared = node.name, step.values["declared"]
    image = node.present_disk()
    source = node.backup_of(image) if is_declared else None

    def put_back() -> None:
        node.disk = node.restored(source) if source is not None else image

    world.after(step.values["after_s"], lambda: _replace(world, name, put_back))


def wiped_node(world: World, step: Step) -> None:
    """A node gets a new, empty disk."""
    node = world.nodes.get(step.who)
    if node is None:
        return

    def empty() -> None:
        node.disk = Disk()

    _replace(world, step.who, empty)


def _replace(world: World, name: str, change_the_disk: Callable[[], None]) -> None:
    """Stop a node, change its disk, and start it again."""
    node = world.nodes[name]
    node.stays_down = True
    node.kill("it is taken out of its rack")
    world.uproot(name, loses_events=True)
    node.plan = b""
    change_the_disk()

    def start() -> None:
        node.stays_down = False
        node.start()

    world.after(DOWN_S, start)
    _operate(world)


def clone(world: World, step: Step) -> None:
    """A node's disk is copied into another box, and both run; in the end the copy is stopped."""
    node = world.nodes.get(step.who)
    if node is None or not node.is_ready:
        return
    world.uproot(node.name, loses_events=False)
    copy = world.clone(node)
    copy.start()
    goods = {"sku_id": LOOSE, "quantity": 3}
    copy.command({"command": "receive", "cmd_id": f"{step.number}-at-the-clone", **goods})


def restored_hub(world: World, step: Step) -> None:
    """The hub's database is copied now, and the copy put in its place some time later."""
    hub = world.hub
    if not hub.is_ready:
        return
    backup = hub.copy(f"backup-{step.number}")

    def put_back() -> None:
        hub.stays_down = True
        hub.kill("it gets back its old database")
        hub.restore(backup)
        world.forget_hub()
        world.after(DOWN_S, start)

    def start() -> None:
        hub.stays_down = False
        hub.start()

    world.after(step.values["after_s"], put_back)


def _operate(world: World) -> None:
    """A person looks at the hub now and then, and readmits the nodes that she knows to be the right ones."""
    for name in sorted(world.facts.in_doubt):
        node, number = world.nodes[name], len(world.facts.readmitted)
        if node.sync is None or not node.sync.status().fenced or any(c.node_id == name for c in world.clones):
            continue
        world.facts.readmitted.append(name)

        def readmit(tx: Transaction, caller: Caller, name: str = name) -> bytes:
            return str(epochs.readmit(tx, caller, name, "the right machine")).encode()

        world.hub.request(f"readmit-{number}", "operator", readmit)
    if not world.facts.is_operated:
        world.facts.is_operated = True
        _operate_again(world)


def _operate_again(world: World) -> None:
    def again() -> None:
        _operate(world)
        _operate_again(world)

    if world.facts.in_doubt:
        world.after(OPERATOR_LOOKS_S, again)
    else:
        world.facts.is_operated = False


def stop_clones(world: World) -> None:
    """A person has found the copies and switches them off; the nodes may have to find their place again."""
    for copy in world.clones:
        copy.stays_down = True
        copy.kill("a person switches it off")
    world.clones.clear()
    _operate(world)


ACTIONS: Mapping[str, Action] = {
    "restored_node": restored_node,
    "wiped_node": wiped_node,
    "clone": clone,
    "restored_hub": restored_hub,
}

"""What goes wrong in a world: each fault is a step that begins it, and most end by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bodega.codec import UNKNOWN_FACT, envelope_to_bytes
from bodega.core.chain import GENESIS, extend, link
from bodega.core.sync import Envelope
from bodega.limits import ENVELOPE_BYTES_MAX
from bodega.v1 import journal_pb2
from bodega_agent.store.transaction import Context, Transaction
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store.transaction import Transaction as HubTransaction
from simulator.disk import NO_SPACE, NO_WRITES
from simulator.links import UP
from simulator.node import SimNode
from simulator.plan import ROGUE, Step
from simulator.process import Fuse
from simulator.world import World
from support.faulty_disk_vfs import Fault

Action = Callable[[World, Step], None]


def kill(world: World, step: Step) -> None:
    """The program dies at one of its next points."""
    process = world.machine(step.who).process
    if process is not None:
        process.fuse = Fuse(step.values["kind"], step.values["points"])


def power_cut(world: World, step: Step) -> None:
    """The power fails at one of the next operations of the disk."""
    process = world.machine(step.who).process
    if process is not None:
        kind = "disk" if step.who in world.nodes else "sql"
        process.fuse = Fuse(kind, step.values["points"], power_cut=True)


def cut(world: World, step: Step) -> None:
    """A machine is cut off, in one direction or both."""
    wire = world.network.wire(step.who)
    lines = {"both": (wire.up, wire.down), "up": (wire.up,), "down": (wire.down,)}[step.values["way"]]
    for line in lines:
        line.is_cut = True

    def mend() -> None:
        for line in lines:
            line.is_cut = False

    world.after(step.values["lasts_s"], mend)


def noise(world: World, step: Step) -> None:
    """A machine's link loses, repeats, shuffles and delays."""
    wire, values = world.network.wire(step.who), step.values
    for line in (wire.up, wire.down):
        line.lost_ratio, line.twice_ratio = values["lost"], values["twice"]
        line.shuffles, line.delay_s = values["shuffles"], (0.001, values["delay_s"])

    def calm() -> None:
        for line in (wire.up, wire.down):
            was_cut = line.is_cut
            line.calm()
            line.is_cut = was_cut

    world.after(values["lasts_s"], calm)


def broker_restart(world: World, _step: Step) -> None:
    """The broker restarts: every connection ends."""
    world.broker.restart()


def broker_away(world: World, step: Step) -> None:
    """The broker is away for a while."""
    world.broker.is_up = False
    world.broker.restart()

    def back() -> None:
        world.broker.is_up = True

    world.after(step.values["lasts_s"], back)


def broker_loses_tail(world: World, step: Step) -> None:
    """The broker's power fails: what it acknowledged last was not on its disk."""
    for stream in ("UP", "DOWN"):
        world.broker.lose_tail(stream, step.values["messages"])
    world.broker.restart()


def stream_deleted(world: World, step: Step) -> None:
    """Somebody deletes a stream."""
    world.broker.delete(step.values["stream"])


def stream_purged(world: World, step: Step) -> None:
    """Somebody empties a stream."""
    world.broker.purge(step.values["stream"])


def consumers_reset(world: World, step: Step) -> None:
    """A stream's consumers begin again."""
    world.broker.reset_consumers(step.values["stream"])


def clock_jump(world: World, step: Step) -> None:
    """A wall clock is set wrong."""
    world.machine(step.who).clock.jump(step.values["ms"])


def disk_full(world: World, step: Step) -> None:
    """A node's disk has no room for a while."""
    _break(world, step, NO_SPACE)


def disk_error(world: World, step: Step) -> None:
    """A node's disk fails for a while."""
    _break(world, step, NO_WRITES)


def _break(world: World, step: Step, fault: Fault) -> None:
    if node := world.nodes.get(step.who):
        node.break_disk(replace(fault))
        world.after(step.values["lasts_s"], lambda: node.break_disk(None))


def weeks_apart(world: World, step: Step) -> None:
    """A machine is cut off, and weeks pass."""
    wire = world.network.wire(step.who)
    wire.up.is_cut = wire.down.is_cut = True
    world.warp(step.values["lasts_s"])
    world.after(1.0, wire.calm)


def unknown_event(world: World, step: Step) -> None:
    """One side is a version ahead: it writes an event that the other does not know."""
    if node := world.nodes.get(step.who):
        node.write(f"{step.number}-unknown", _record_unknown)
    else:
        node_id = world.plan.nodes[step.number % len(world.plan.nodes)]

        def post(tx: HubTransaction, caller: Caller) -> bytes:
            event = journal_pb2.HubEvent()
            event.MergeFromString(LATER_FACT)
            return str(outbox.post(tx, caller, node_id, [event], cmd_id=f"{step.number}-unknown")).encode()

        world.hub.request(f"{step.number}-unknown", "operator", post)


# Field 900, length-delimited, "later".
LATER_FACT = b"\xa2\x38\x05later"


def _record_unknown(tx: Transaction) -> int:
    """As `Transaction.append` would, had it a name for the fact."""
    context = Context("a-later-version", actor="system")
    event = tx._event(context, {})
    event.MergeFromString(LATER_FACT)
    return tx._append(context, event, UNKNOWN_FACT)


def poison(world: World, step: Step) -> None:
    """Somebody with the credentials of a node that nobody runs publishes what must not be applied."""
    victims: list[SimNode] = list(world.nodes.values())
    victim = victims[step.number % len(victims)]
    stolen = [m.body for m in world.broker.taken if m.subject.startswith(f"up.{victim.name}.")]
    body = _POISON[step.values["kind"]](victim.name, stolen)
    if "UP" in world.broker.streams:
        world.broker.publish(UP, f"up.{ROGUE}.1", body, None)


def _forged(node_id: str, prev_hash: bytes, first_seq: int = 1) -> bytes:
    bodies = (b"forged",)
    return envelope_to_bytes(
        Envelope(node_id, 1, first_seq, prev_hash, bodies, extend(prev_hash, bodies)[-1])
    )


_POISON: Mapping[str, Callable[[str, list[bytes]], bytes]] = {
    "garbage": lambda _victim, _stolen: b"\xff\xfe garbage",
    "oversized": lambda _victim, _stolen: bytes(2 * ENVELOPE_BYTES_MAX + 1),
    "foreign": lambda victim, _stolen: _forged(victim, GENESIS),
    "replayed": lambda victim, stolen: stolen[-1] if stolen else _forged(victim, GENESIS),
    "forked": lambda _victim, _stolen: _forged(ROGUE, link(GENESIS, b"another history")),
}

ACTIONS: Mapping[str, Action] = {
    "kill": kill,
    "power_cut": power_cut,
    "cut": cut,
    "noise": noise,
    "broker_restart": broker_restart,
    "broker_away": broker_away,
    "broker_loses_tail": broker_loses_tail,
    "stream_deleted": stream_deleted,
    "stream_purged": stream_purged,
    "consumers_reset": consumers_reset,
    "clock_jump": clock_jump,
    "disk_full": disk_full,
    "disk_error": disk_error,
    "weeks_apart": weeks_apart,
    "unknown_event": unknown_event,
    "poison": poison,
}

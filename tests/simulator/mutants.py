"""Rules taken out, one at a time: if no world breaks without a rule, nobody needs it or nobody looks.

Each mutant is one switch, and says which kinds of work and faults bring it to light, so that few worlds are enough.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from unittest import mock

from bodega.core.conflicts.cancel_races_ship import cancel_races_ship
from bodega.core.lifecycles import ReservationState
from bodega.core.promise import Reservation
from bodega.core.sync import Envelope, Head, Judgement, Verdict, judge
from bodega.skimming import PlainMove
from bodega_agent.services import sync_down
from bodega_controlplane.app.applying import effects, journal, replica
from bodega_controlplane.app.applying.arrived import Arrived, Picked
from bodega_controlplane.app.ordering import assigning
from bodega_controlplane.app.ordering.aggregate import Order, Work
from simulator.disk import NO_FSYNC
from simulator.session_world import without_chain_check
from simulator.world import World

REVERT_EVERY_S = 5.0


@dataclass(frozen=True)
class Mutant:
    """A rule taken out: `install` harms a world before it begins, `around` the code while it runs."""

    kinds: frozenset[str]
    install: Callable[[World], None] = lambda _world: None
    around: Callable[[], AbstractContextManager[Any]] = nullcontext


def _skip_the_fsync(world: World) -> None:
    for node in world.nodes.values():
        node.deaf = NO_FSYNC


def _acknowledge_before_the_commit(world: World) -> None:
    world.hub.commits_late = True


def _drop_the_compare_and_set(world: World) -> None:
    world.broker.compares = False


def _forget_the_cursor(world: World) -> None:
    for node in world.nodes.values():
        node.forgets_cursor = True


def _revert_grants_on_a_timeout(world: World) -> None:
    def revert() -> None:
        if world.hub.is_ready and world.hub.store is not None:
            world.hub.store.write(
                lambda tx: tx.connection.exec_driver_sql("UPDATE node_rights SET in_flight = 0") and None
            )
        world.after(REVERT_EVERY_S, revert)

    world.after(REVERT_EVERY_S, revert)


@contextmanager
def _order_by_wall_clock() -> Iterator[None]:
    whole = replica.Replica.write

    def write(self: replica.Replica) -> None:
        self._arrived.sort(key=_clock_of)
        whole(self)

    with mock.patch.object(replica.Replica, "write", write):
        yield


def _clock_of(arrived: Arrived | PlainMove | Picked) -> int:
    if isinstance(arrived, Picked):
        return arrived.move.at_ms
    return arrived.at_ms if isinstance(arrived, PlainMove) else arrived.message.at_ms


@contextmanager
def _resolve_by_arrival_order() -> Iterator[None]:
    arrivals = itertools.count()

    def resolve(**facts: Any) -> Any:
        return cancel_races_ship(
            **{**facts, "ship_event": f"{facts['ship_event']} as number {next(arrivals)}"}
        )

    with mock.patch.object(effects, "cancel_races_ship", resolve):
        yield


def _applying_what_it_has(head: Head, envelope: Envelope) -> Judgement:
    judged = judge(head, envelope)
    if judged.verdict is not Verdict.ALREADY_HAVE:
        return judged
    return Judgement(Verdict.APPLY, "", envelope.first_seq, envelope.events)


@contextmanager
def _let_the_old_node_go_on() -> Iterator[None]:
    with mock.patch.object(assigning, "take_back"):
        yield


@contextmanager
def _free_what_the_old_node_was_promised() -> Iterator[None]:
    whole = assigning.take_back

    def take_back(tx: Any, caller: Any, work: Work, token: int, reason: str) -> None:
        whole(tx, caller, work, token, reason)
        for line in work.lines.values():
            held = line.reservation
            if held.state is ReservationState.PENDING:
                line.reservation = Reservation(
                    held.quantity, held.posted, held.quantity - held.posted, ReservationState.VOIDED
                )

    with mock.patch.object(assigning, "take_back", take_back):
        yield


def _the_token_before(self: Order) -> int:
    return max((work.fencing_token for work in self.works), default=1) - 1


MUTANTS: Mapping[str, Mutant] = {
    "skip the fsync": Mutant(frozenset({"stock", "twice", "power_cut"}), _skip_the_fsync),
    "acknowledge before the commit": Mutant(
        frozenset({"stock", "twice", "count", "kill"}), _acknowledge_before_the_commit
    ),
    "drop the compare-and-set": Mutant(frozenset({"stock", "twice", "clone"}), _drop_the_compare_and_set),
    "skip prev_hash": Mutant(
        frozenset({"stock", "poison"}),
        around=lambda: mock.patch.object(journal, "judge", without_chain_check),
    ),
    "revert grants on a timeout": Mutant(frozenset({"grant", "order", "cut"}), _revert_grants_on_a_timeout),
    "apply twice": Mutant(
        frozenset({"grant", "order", "noise", "consumers_reset"}),
        around=lambda: mock.patch.object(sync_down, "judge", _applying_what_it_has),
    ),
    "order by wall clock": Mutant(
        frozenset({"order", "work", "clock_jump", "cut"}), around=_order_by_wall_clock
    ),
    "forget the cursor": Mutant(frozenset({"grant", "order", "kill"}), _forget_the_cursor),
    "let the old node go on": Mutant(frozenset({"order", "reassign"}), around=_let_the_old_node_go_on),
    "give the same token again": Mutant(
        frozenset({"order", "reassign"}),
        around=lambda: mock.patch.object(Order, "newest_token", property(_the_token_before)),
    ),
    "free what the old node was promised": Mutant(
        frozenset({"order", "reassign", "work", "cut"}), around=_free_what_the_old_node_was_promised
    ),
    "resolve by arrival order": Mutant(
        frozenset({"order", "cancel", "work", "cut"}), around=_resolve_by_arrival_order
    ),
}

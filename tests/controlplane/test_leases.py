"""A node is down when it alone was silent for a lease; silence of all of them is our own trouble."""

from __future__ import annotations

from bodega_controlplane.rules.leases import Leases

EVERY = 5


def run(leases: Leases, since: int, until: int, **speaks: bool) -> frozenset[str]:
    """Rounds every 5 s in which those that speak are heard; who is down at the last."""
    down: frozenset[str] = frozenset()
    for now in range(since, until + 1, EVERY):
        for node_id, heard in speaks.items():
            if heard:
                CONTACTS[id(leases)][node_id] = now
            CONTACTS[id(leases)].setdefault(node_id, 0)
        down = leases.observe(now, CONTACTS[id(leases)])
    return down


CONTACTS: dict[int, dict[str, int]] = {}


def fresh() -> Leases:
    leases = Leases(lease_s=60, any_heard_s=15)
    CONTACTS[id(leases)] = {}
    return leases


def test_who_is_silent_for_a_lease_while_others_speak_is_down_until_he_speaks_again() -> None:
    leases = fresh()
    assert run(leases, 0, 100, lisbon=True, porto=True) == frozenset()
    assert run(leases, 105, 155, lisbon=True, porto=False) == frozenset()
    assert run(leases, 160, 160, lisbon=True, porto=False) == {"porto"}
    assert run(leases, 165, 165, lisbon=True, porto=True) == frozenset()


def test_when_nobody_is_heard_it_is_we_who_are_cut_off() -> None:
    leases = fresh()
    run(leases, 0, 100, lisbon=True, porto=True)
    assert run(leases, 105, 1_000, lisbon=False, porto=False) == frozenset()
    assert run(leases, 1_005, 1_060, lisbon=True, porto=False) == frozenset(), "porto has a lease from now on"
    assert run(leases, 1_065, 1_065, lisbon=True, porto=False) == {"porto"}


def test_an_instance_that_has_just_begun_has_seen_nobody_be_silent() -> None:
    leases = fresh()
    CONTACTS[id(leases)] = {"lisbon": -1, "porto": -100_000}
    assert run(leases, 0, 60, lisbon=True, porto=False) == frozenset()
    assert run(leases, 65, 65, lisbon=True, porto=False) == {"porto"}

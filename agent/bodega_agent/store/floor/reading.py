"""The facts of a step, read by its flow; at idle by the flow that the scan begins, else by picking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.flows import flow_of, started_by
from bodega_agent.rules.floor.scans import kind_of
from bodega_agent.store.floor import (
    count,
    handover,
    hold,
    pack,
    people,
    pick,
    pickup,
    putaway,
    receive,
    reconcile,
    replenish,
    resume,
    returns,
    transfer,
)
from bodega_agent.store.floor.look import Look

READERS: Mapping[str, Callable[[Look], Facts]] = {
    "receive": receive.facts,
    "putaway": putaway.facts,
    "replenish": replenish.facts,
    "hold": hold.facts,
    "pick": pick.facts,
    "pack": pack.facts,
    "void": pack.void_facts,
    "handover": handover.facts,
    "stage": pickup.facts,
    "collect": pickup.facts,
    "return": returns.facts,
    "count": count.facts,
    "reconcile": reconcile.facts,
    "send": transfer.send_facts,
    "arrive": transfer.arrive_facts,
    "people": people.facts,
    "resume": resume.facts,
}


def facts_for(look: Look) -> Facts:
    """Read what the rules of this step may know, and who is there."""
    flow = flow_of(look.session.step) or (started_by(kind_of(look.scan)) if look.scan else None)
    facts = READERS[flow.name if flow else "pick"](look)
    role, name = people.role_at(look.tx, look.session)
    return replace(facts, role=role, crew=people.crew(look, name))

"""Where a SKU is taken from when a shelf has not given it: by default as the walk is planned, else as the rules say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bodega.core.lifecycles import FulfillmentState
from bodega.core.routing.bundle import DEFAULT, Bundle
from bodega.core.routing.inputs import Line
from bodega_agent.rules.floor.alone import Alone
from bodega_agent.rules.floor.pick import instead
from bodega_agent.rules.floor.pick.doing import Picking, doing_of
from bodega_agent.rules.floor.pick.facts import PickFacts, Shelf, Work, WorkLine
from bodega_agent.rules.floor.pick.plan import Wanted, plan_picks
from bodega_agent.rules.floor.pick.walk import Task, costs_of, orders_of, shelves_for
from bodega_agent.rules.floor.session import FloorStep, Session
from support.routing_cases import bundle, question, site

FAR_FIRST = bundle(
    edge={
        "allows": ["within_site"],
        "shelf_filters": [{"name": "low", "keep": "shelf.kind != 'reserve'", "why": "is too high"}],
        "shelf_scores": [{"name": "far", "value": "shelf.walk_order", "weight": -1}],
    }
)
SHELVES = st.lists(
    st.builds(
        Shelf,
        st.just("OAT"),
        st.sampled_from(["", "L1", "L2"]),
        st.sampled_from(["A-01", "A-02", "B-01", "B-02"]),
        st.integers(0, 3),
        st.integers(1, 6),
        st.sampled_from(["", "2027-01-01", "2027-02-01"]),
        st.sampled_from(["", "reserve"]),
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda one: (one.bin_id, one.lot),
)
DOINGS = st.builds(Picking, passed=st.sampled_from([(), ("A-01",)]), lot=st.sampled_from(["", "L1"]))
WANTS = st.lists(st.integers(1, 7), min_size=1, max_size=3)


def walking(
    rules: Bundle, shelves: list[Shelf], wants: list[int], doing: Picking, at_bin: str
) -> tuple[Session, PickFacts, Task]:
    """A batch of orders for oats, each with so many outstanding, and the pick that has just failed."""
    walk = tuple(
        Work(
            f"FO-{number}",
            f"ORD-{number}",
            FulfillmentState.PICKING,
            (WorkLine(1, "OAT", "Oats", (), units),),
            device="s1",
            shelves=tuple(shelves),
            batch="batch-1",
        )
        for number, units in enumerate(wants, start=1)
    )
    asked = replace(question(site("here")), lines=(Line(1, "OAT", 1),))
    facts = PickFacts(work=walk[0], walk=walk, alone=Alone(rules, asked))
    session = Session("s1", step=FloorStep.PICK_BIN, fulfillment_order_id="FO-1", bin_id=at_bin, doing=doing)
    return session, facts, Task(walk[0], walk[0].lines[0], "", "", wants[0])


def planned(session: Session, facts: PickFacts) -> Counter[str]:
    """Units by shelf, as the walk is planned from here on."""
    doing = doing_of(session.doing)
    wanted = [
        Wanted(line.line, "OAT", line.outstanding, work.fulfillment_order_id)
        for work in orders_of(facts)
        for line in work.lines
    ]
    plan = plan_picks(
        wanted, shelves_for(facts, doing), at_bin=session.bin_id, lot=doing.lot, costs=costs_of(doing)
    )
    found: Counter[str] = Counter()
    for step in plan.steps:
        found[f"{step.bin_id} lot {step.lot}" if step.lot else step.bin_id] += step.quantity
    return found


@given(st.sampled_from([DEFAULT, FAR_FIRST]), SHELVES, WANTS, DOINGS, st.sampled_from(["", "A-01", "B-01"]))
def test_what_is_recorded_is_what_the_walk_does(
    rules: Bundle, shelves: list[Shelf], wants: list[int], doing: Picking, at_bin: str
) -> None:
    session, facts, task = walking(rules, shelves, wants, doing, at_bin)
    made = instead.decide(session, facts, task, "missing")
    assert made is not None
    decided = Counter({one.node_id: sum(one.quantities.values()) for one in made.choice.shares})
    assert planned(instead.follow(session, made, "OAT"), facts) == decided


@given(SHELVES, WANTS, DOINGS)
def test_the_default_changes_nothing_about_a_walk(
    shelves: list[Shelf], wants: list[int], doing: Picking
) -> None:
    session, facts, task = walking(DEFAULT, shelves, wants, doing, "A-01")
    made = instead.decide(session, facts, task, "missing")
    assert made is not None
    assert instead.follow(session, made, "OAT") == session


def test_what_rules_have_said_of_a_sku_is_said_again_and_holds_for_it_alone() -> None:
    there = [Shelf("OAT", "", "A-01", 1, 5), Shelf("OAT", "", "B-02", 9, 5, kind="reserve")]
    session, facts, task = walking(FAR_FIRST, there, [2], Picking(), "")
    for _ in range(2):
        made = instead.decide(session, facts, task, "missing")
        assert made is not None
        session = instead.follow(session, made, "OAT")
        assert [
            (one.sku_id, [each.bin_id for each in one.shelves]) for one in doing_of(session.doing).instead
        ] == [("OAT", ["A-01"])]
    rye = replace(
        facts,
        walk=tuple(replace(one, shelves=(*there, Shelf("RYE", "", "B-02", 9, 5))) for one in facts.walk),
    )
    assert [(one.sku_id, one.bin_id) for one in shelves_for(rye, doing_of(session.doing))] == [
        ("OAT", "A-01"),
        ("RYE", "B-02"),
    ]

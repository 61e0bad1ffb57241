"""Whatever a journal may hold becomes a valid EPCIS document, and no unit is lost or doubled in the telling."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bodega.core.ledger import (
    CARRIER,
    FOUND,
    Account,
    Disposition,
    Goods,
    LotSeen,
    Movement,
    Posting,
    Reference,
)
from bodega.core.recipes import RECIPES
from bodega_agent.rules.epcis_rows import ROWS
from support.epcis_movements import BASKET, BREAD, GLN, MILK, SSCC, booked, names, tell

texts = st.one_of(st.sampled_from(["", "L-1", "A-01", MILK, BREAD, FOUND, CARRIER]), st.text(max_size=30))
accounts = st.builds(
    Account,
    sku_id=st.one_of(st.sampled_from([MILK, BREAD, BASKET]), st.text(max_size=70)),
    bin=texts,
    disposition=st.one_of(st.sampled_from([*Disposition, ""]), st.text(max_size=10)),
    lot=texts,
    owner=texts,
)
outside = st.builds(
    Account, sku_id=st.sampled_from([MILK, BREAD]), external=st.sampled_from([FOUND, CARRIER, "in_transit:T"])
)
postings = st.lists(
    st.builds(
        Posting,
        st.one_of(accounts, outside),
        st.integers(-5, 5),
        st.one_of(st.just(()), st.lists(texts, max_size=6).map(tuple)),
    ),
    max_size=8,
)
movements = st.builds(
    Movement,
    command=st.one_of(st.sampled_from([*ROWS, "correct"]), st.text(max_size=10)),
    biz_step=st.one_of(
        st.sampled_from([recipe.biz_step for recipe in RECIPES.values()]), st.text(max_size=10)
    ),
    postings=postings.map(tuple),
    reference=st.builds(Reference, texts, st.one_of(st.just(SSCC), texts), texts, texts, texts, texts),
    lots=st.lists(st.builds(LotSeen, st.sampled_from([MILK, BREAD]), texts, texts), max_size=3).map(tuple),
)


@given(movement=movements, gln=st.sampled_from(["", GLN]))
def test_whatever_a_journal_may_hold_the_document_is_valid(movement, gln):
    told = tell(movement, names(gln=gln))
    assert len(told) <= len(movement.postings)


@given(
    command=st.sampled_from(sorted(name for name, recipe in RECIPES.items() if recipe.is_in_node)),
    sold=st.lists(
        st.builds(Goods, st.sampled_from([MILK, BREAD]), st.integers(1, 9), texts), min_size=1, max_size=4
    ),
    made=st.lists(st.builds(Goods, st.just(BASKET), st.integers(1, 9), texts), min_size=1, max_size=2),
)
def test_no_unit_that_a_command_moves_is_lost_or_doubled_in_the_telling(command, sold, made):
    movement = booked(command, *sold, makes=made if RECIPES[command].makes else ())
    told = tell(movement)
    counted = sum(
        element["quantity"]
        for event in told
        for name in event
        if name.endswith("uantityList")
        for element in event[name]
    )
    moved = sum(item.quantity for item in sold) + sum(
        item.quantity for item in made if RECIPES[command].makes
    )
    found = sum(-q for account, q, _serials in movement.postings if q < 0 and account.external == FOUND)
    assert counted == moved + (found if command != "adjust_up" else 0)

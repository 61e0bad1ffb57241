"""A difference between two books is narrowed to exactly the SKUs that differ, whatever the difference is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bodega.core.checkpoints import physical_sha256
from bodega.core.digests import (
    BUCKETS,
    bucket_digests,
    bucket_of,
    differing_buckets,
    differing_skus,
    in_buckets,
    sku_digests,
)
from bodega.core.ledger import Account

_ACCOUNTS = st.builds(
    Account,
    st.sampled_from([f"SKU-{number}" for number in range(12)] + ["é", "SKU-1\n"]),
    st.sampled_from(["A-01", "A-02"]),
    st.sampled_from(["sellable_accessible", "damaged"]),
    st.sampled_from(["", "L1"]),
    st.just(""),
    st.just(""),
)
_BOOKS = st.dictionaries(_ACCOUNTS, st.integers(0, 5), max_size=20)


def narrowed(ours: dict[Account, int], theirs: dict[Account, int]) -> list[str]:
    """As hub and node do it: buckets first, then the SKUs of those that differ."""
    mine, others = sku_digests(ours), sku_digests(theirs)
    buckets = differing_buckets(bucket_digests(mine), bucket_digests(others))
    return differing_skus(in_buckets(mine, buckets), in_buckets(others, buckets))


@given(_BOOKS, _BOOKS)
def test_what_is_found_is_exactly_what_differs(ours: dict[Account, int], theirs: dict[Account, int]) -> None:
    def of(book: dict[Account, int], sku_id: str) -> dict[Account, int]:
        return {account: n for account, n in book.items() if n and account.sku_id == sku_id}

    every = {account.sku_id for account in (*ours, *theirs)}
    assert narrowed(ours, theirs) == sorted(s for s in every if of(ours, s) != of(theirs, s))
    assert (not narrowed(ours, theirs)) == (physical_sha256(ours) == physical_sha256(theirs))


def test_what_left_the_node_does_not_count_and_zero_is_nothing() -> None:
    shelf, customer = Account("A", "A-01", "sellable_accessible"), Account("A", external="customer")
    assert narrowed({shelf: 3, customer: 9}, {shelf: 3, customer: -1}) == []
    assert narrowed({shelf: 0}, {}) == []
    assert narrowed({shelf: 3}, {shelf: 4}) == ["A"]


def test_two_skus_that_swap_their_stock_are_both_found() -> None:
    a, b = (Account(sku_id, "A-01", "sellable_accessible") for sku_id in "AB")
    assert narrowed({a: 1, b: 2}, {a: 2, b: 1}) == ["A", "B"]


def test_buckets_are_those_that_the_other_end_has_too() -> None:
    assert [bucket_of(sku_id) for sku_id in ("OAT-1L", "CAM-7", "")] == [149, 150, 227]
    assert len(bucket_digests({})) == BUCKETS
    assert bucket_digests({})[0].hex().startswith("e3b0c442")

"""Two books of stock compared by digests, so that a difference is narrowed to SKUs without sending either book.

A SKU's digest is over all that lies in the node of it (`checkpoints.physical_sha256`); a bucket's digest is over the
digests of its SKUs. SKUs fall into 256 buckets by the first byte of SHA-256 of their id, the same at both ends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

from bodega.core.checkpoints import physical_sha256
from bodega.core.ledger import Account

BUCKETS = 256


def bucket_of(sku_id: str) -> int:
    """0 to 255."""
    return sha256(sku_id.encode()).digest()[0]


def sku_digests(balances: Mapping[Account, int]) -> dict[str, bytes]:
    """SKU -> digest (32 bytes), for SKUs of which anything lies in the node."""
    by_sku: dict[str, list[tuple[Account, int]]] = defaultdict(list)
    for account, quantity in balances.items():
        if quantity and account.is_physical:
            by_sku[account.sku_id].append((account, quantity))
    return {sku_id: physical_sha256(rows) for sku_id, rows in by_sku.items()}


def bucket_digests(skus: Mapping[str, bytes]) -> list[bytes]:
    """256 digests; an empty bucket has that of no bytes."""
    buckets: list[list[str]] = [[] for _ in range(BUCKETS)]
    for sku_id in sorted(skus):
        buckets[bucket_of(sku_id)].append(sku_id)
    return [
        sha256(
            b"".join(len(one.encode()).to_bytes(4, "big") + one.encode() + skus[one] for one in bucket)
        ).digest()
        for bucket in buckets
    ]


def differing_buckets(ours: Sequence[bytes], theirs: Sequence[bytes]) -> list[int]:
    """Numbers of the buckets that are not the same."""
    return [number for number, (one, other) in enumerate(zip(ours, theirs, strict=True)) if one != other]


def in_buckets(skus: Mapping[str, bytes], buckets: Collection[int]) -> dict[str, bytes]:
    """The SKUs of these buckets, in order."""
    wanted = frozenset(buckets)
    return {sku_id: skus[sku_id] for sku_id in sorted(skus) if bucket_of(sku_id) in wanted}


def differing_skus(ours: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> list[str]:
    """SKUs whose digests differ, or that only one of the books has; in order."""
    return sorted(sku_id for sku_id in ours.keys() | theirs.keys() if ours.get(sku_id) != theirs.get(sku_id))

"""What a checkpoint says of the stock, as one hash: the node states it, and the hub holds its own against it.

Only physical accounts count: what lies in the node. The text is defined here once, for both sides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256

from bodega.core.ledger import Account


def canonical_line(account: Account, quantity: int) -> bytes:
    """One balance as a JSON array: [owner, sku_id, lot, bin, disposition, quantity], UTF-8, no spaces."""
    fields = [account.owner, account.sku_id, account.lot, account.bin, account.disposition, quantity]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def physical_sha256(balances: Mapping[Account, int] | Iterable[tuple[Account, int]]) -> bytes:
    """SHA-256 over the lines of all physical balances that are not zero, sorted as bytes, a line feed after each.

    The order and the external accounts of what is given do not matter.
    """
    pairs = balances.items() if isinstance(balances, Mapping) else balances
    lines = sorted(canonical_line(account, n) for account, n in pairs if n and account.is_physical)
    digest = sha256()
    for line in lines:
        digest.update(line)
        digest.update(b"\n")
    return digest.digest()

"""The code that a customer says: the node can check one, and can not tell it.

The hub sends SHA-256 of "<fulfillment order>:<code>" (`Pickup.code_sha256`). A code is short, so wrong ones are counted
with the pickup, over sessions, devices and restarts; after PICKUP_CODE_TRIES_MAX only a person's eyes help.
"""

from __future__ import annotations

import hashlib
import hmac


def code_sha256(fulfillment_order_id: str, code: str) -> bytes:
    """What the hub sends for a code."""
    return hashlib.sha256(f"{fulfillment_order_id}:{code}".encode()).digest()


def is_code(fulfillment_order_id: str, said: str, expected: bytes) -> bool:
    """Whether that is the code, in constant time; blanks around it do not count."""
    return hmac.compare_digest(code_sha256(fulfillment_order_id, said.strip()), expected)

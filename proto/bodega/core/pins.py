"""PINs of associates: kept as scrypt (RFC 7914: N = 2^14, r = 8, p = 1) of the digits, never as they are.

A PIN is short, so the hash only makes guessing slow; what bounds guessing is that a node takes few tries.
"""

from __future__ import annotations

import hashlib
import hmac

from bodega.limits_floor import PIN_HASH_BYTES, PIN_SCRYPT_BYTES_MAX


def pin_hash(pin: str, salt: bytes) -> bytes:
    """What Associate.pin_hash keeps; about 50 ms and 16 MiB, on purpose."""
    return hashlib.scrypt(
        pin.encode(), salt=salt, n=2**14, r=8, p=1, maxmem=PIN_SCRYPT_BYTES_MAX, dklen=PIN_HASH_BYTES
    )


def is_right(pin: str, salt: bytes, expected: bytes) -> bool:
    """Whether this is the PIN, in a time that does not tell how nearly; no PIN at all is never right."""
    return bool(expected) and hmac.compare_digest(pin_hash(pin, salt), expected)

"""Money as people read it: integer minor units and an ISO 4217 code."""

from __future__ import annotations

_USUAL_DIGITS = 2
# Digits after the point of the currencies that have not two of them (ISO 4217, list one: minor units).
_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def text_of(minor: int, currency: str) -> str:
    """ "12.50 EUR", "1250 JPY", "1.250 KWD"."""
    digits = _DIGITS.get(currency, _USUAL_DIGITS)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}{f'.{rest:0{digits}}' if digits else ''} {currency}".rstrip()

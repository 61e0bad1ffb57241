"""A decision that was made again beside its record."""

from __future__ import annotations


def compared(recorded: bytes, again: bytes) -> tuple[str, str]:
    """("same", ""), or "differs" and from where on: both say a choice in the one spelling of their record."""
    if again == recorded:
        return "same", ""
    shorter = min(len(again), len(recorded))
    place = next((n for n in range(shorter) if again[n] != recorded[n]), shorter)
    return "differs", f"from byte {place}: recorded {_around(recorded, place)}, again {_around(again, place)}"


def _around(text: bytes, place: int) -> str:
    return repr(text[max(0, place - 20) : place + 40].decode(errors="replace"))

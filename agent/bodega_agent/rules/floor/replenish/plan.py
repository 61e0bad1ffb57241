"""Which pick face first, and from where: pure choices over what the book says."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bodega_agent.rules.floor.replenish.facts import Face, Source


def by_urgency(faces: Iterable[Face]) -> list[Face]:
    """Those that need something; the emptiest by its own measure (held against its level) first, then the nearest."""
    needy = (face for face in faces if face.held < face.refill_below)
    return sorted(needy, key=lambda face: (face.held / face.refill_below, face.walk_order, face.bin_id))


def next_source(face: Face, without: Collection[str] = ()) -> Source | None:
    """What expires first; of that the bin that holds enough and least beyond it, so that reserve bins empty."""
    left = [one for one in face.sources if one.bin_id not in without and one.quantity > 0]

    def rank(one: Source) -> tuple[str, bool, int, int, str]:
        enough = one.quantity >= face.wanted
        return (
            one.first_out,
            not enough,
            one.quantity if enough else -one.quantity,
            one.walk_order,
            one.bin_id,
        )

    return min(left, key=rank, default=None)

"""A session as plain values, for the store, and back."""

from __future__ import annotations

from functools import cache
from typing import Any

import cattrs

from bodega.errors import InvalidInput
from bodega_agent.rules.floor.arrive.doing import Arriving
from bodega_agent.rules.floor.count.doing import Choosing, Counting, Deciding
from bodega_agent.rules.floor.handover.doing import ClosingManifest, HandingOver
from bodega_agent.rules.floor.hold.doing import Judged
from bodega_agent.rules.floor.pack.doing import Counted, Doubted, Voiding
from bodega_agent.rules.floor.people.doing import SigningIn
from bodega_agent.rules.floor.pick.doing import Picking
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.receive.doing import Receiving
from bodega_agent.rules.floor.replenish.doing import Refilling
from bodega_agent.rules.floor.resume.doing import Offered
from bodega_agent.rules.floor.returns.doing import TakingBack
from bodega_agent.rules.floor.send.doing import Sending
from bodega_agent.rules.floor.session import Doing, Session

# What flows remember between two scans, by the name of the class.
DOINGS: tuple[type[Doing], ...] = (
    Receiving,
    InHand,
    Judged,
    Refilling,
    Picking,
    SigningIn,
    Offered,
    TakingBack,
    Choosing,
    Counting,
    Deciding,
    Sending,
    Arriving,
    Counted,
    Doubted,
    Voiding,
    HandingOver,
    ClosingManifest,
)


def to_json(session: Session) -> dict[str, Any]:
    """Plain values; `from_json` reads them back to an equal session."""
    plain: dict[str, Any] = _converter().unstructure(session)
    return plain


def from_json(stored: dict[str, Any]) -> Session:
    """Read what `to_json` wrote; raises InvalidInput when it is something else."""
    try:
        return _converter().structure(stored, Session)
    except (cattrs.BaseValidationError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"a stored floor session is not readable: {error}",
            hint="start the flow again with its CMD- barcode",
        ) from error


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    known = {kind.__name__: kind for kind in DOINGS}

    def keep(doing: Doing | None) -> dict[str, Any] | None:
        if doing is None:
            return None
        return {"kind": type(doing).__name__, "is": converter.unstructure(doing, type(doing))}

    def read(stored: dict[str, Any] | None, _type: Any) -> Doing | None:
        return None if stored is None else converter.structure(stored["is"], known[stored["kind"]])

    converter.register_unstructure_hook(Doing | None, keep)
    converter.register_structure_hook(Doing | None, read)
    return converter

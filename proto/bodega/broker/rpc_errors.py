"""One place where an error of Bodega becomes a gRPC status with trailing metadata, and back.

The metadata is `bodega-code` (stable word), `bodega-hint` (what to do next) and one `bodega-fault` per
bad field. gRPC metadata is printable ASCII and small: texts are percent-encoded as `grpc-message` is
(gRPC over HTTP/2, "Status-Message"), faults are ASCII JSON, and those beyond the byte bound are counted
in `bodega-faults-left-out` instead of breaking the call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote, unquote

import grpc

from bodega.errors import OUTCOMES, BodegaError, FieldFault, InvalidInput, PeerFault, Unavailable, outcome_of
from bodega.limits import FAULT_METADATA_BYTES_MAX, TEXT_CHARS_MAX

CODE_KEY = "bodega-code"
HINT_KEY = "bodega-hint"
FAULT_KEY = "bodega-fault"
LEFT_OUT_KEY = "bodega-faults-left-out"

# Everything printable in ASCII but "%" stays as it is, so a hint reads well in any gRPC client.
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")

# What gRPC itself says without asking us: too slow, too large, a method of another version.
_BY_GRPC: dict[grpc.StatusCode, type[BodegaError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: InvalidInput,
    grpc.StatusCode.UNIMPLEMENTED: PeerFault,
}

Trailers = tuple[tuple[str, str], ...]


def to_status(error: BodegaError) -> tuple[grpc.StatusCode, str, Trailers]:
    """Status, message and trailing metadata of an error."""
    trailers = [(CODE_KEY, error.code)]
    if error.hint:
        trailers.append((HINT_KEY, quote(error.hint[:TEXT_CHARS_MAX], safe=_PLAIN)))
    trailers += _fault_trailers(error.faults)
    return grpc.StatusCode[outcome_of(error).grpc], error.message[:TEXT_CHARS_MAX], tuple(trailers)


def _fault_trailers(faults: tuple[FieldFault, ...]) -> list[tuple[str, str]]:
    trailers: list[tuple[str, str]] = []
    room = FAULT_METADATA_BYTES_MAX
    for number, fault in enumerate(faults):
        value = json.dumps({"where": fault.where, "problem": fault.problem, "line": fault.line})
        room -= len(value)
        if room < 0:
            return [*trailers, (LEFT_OUT_KEY, str(len(faults) - number))]
        trailers.append((FAULT_KEY, value))
    return trailers


def from_status(
    status: grpc.StatusCode, message: str, trailers: Iterable[tuple[str, str | bytes]]
) -> BodegaError:
    """The error that a peer sent; its family, and so its exit code, is the one that the peer raised.

    A status without our metadata (a proxy, an old server) gets the first family with that status.
    """
    texts = [(key, value if isinstance(value, str) else value.decode("latin-1")) for key, value in trailers]
    named = dict(texts)
    family = _family(status, named.get(CODE_KEY, ""))
    error = family(message, hint=unquote(named.get(HINT_KEY, "")), code=named.get(CODE_KEY))
    faults = [_fault(value) for key, value in texts if key == FAULT_KEY]
    if LEFT_OUT_KEY in named:
        faults.append(FieldFault("...", f"and {named[LEFT_OUT_KEY]} more"))
    error.faults = tuple(faults)
    return error


def _family(status: grpc.StatusCode, code: str) -> type[BodegaError]:
    same_status = [family for family, outcome in OUTCOMES.items() if outcome.grpc == status.name]
    by_code = (family for family in same_status if family.code == code)
    return next(by_code, _BY_GRPC.get(status, [*same_status, BodegaError][0]))


def _fault(value: str) -> FieldFault:
    try:
        raw = json.loads(value)
        return FieldFault(str(raw["where"]), str(raw["problem"]), raw.get("line"))
    except (ValueError, KeyError, TypeError, AttributeError):
        # A peer of another version may say it differently; its words are still better than none.
        return FieldFault("request", value)

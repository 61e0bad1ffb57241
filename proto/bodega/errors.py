"""Every error that a person or a peer can meet, named by who must act.

One table (`OUTCOMES`) turns a family into a gRPC status, an HTTP status and a process exit code,
so the three faces of one fault can never disagree. Exit codes follow sysexits.h where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Process exit codes; documented in README.md and in `bodega --help`."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    DATA = 65
    NOT_FOUND = 66
    UNAVAILABLE = 69
    INTERNAL = 70
    ADDRESS_IN_USE = 71
    TEMPORARY = 75
    SCHEMA = 76
    PERMISSION = 77
    CONFIG = 78


@dataclass(frozen=True)
class FieldFault:
    """One thing wrong in an input: where (dotted path, line if known), what, and the value seen."""

    where: str
    problem: str
    line: int | None = None

    def __str__(self) -> str:
        line = f"line {self.line}: " if self.line is not None else ""
        return f"{line}{self.where}: {self.problem}"


class BodegaError(Exception):
    """Base of all errors that Bodega raises on purpose.

    `code` is a stable kebab-case word for programs, `message` says what and where for people,
    `hint` says what to do next, `faults` lists every bad field at once.
    """

    code = "internal"

    def __init__(
        self, message: str, *, hint: str = "", code: str | None = None, faults: tuple[FieldFault, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.faults = faults
        if code is not None:
            self.code = code


class InvalidInput(BodegaError):
    """The caller's bug or typing mistake: the input itself is wrong and never will be right."""

    code = "invalid-input"


class NotFound(BodegaError):
    """The thing named does not exist here."""

    code = "not-found"


class Refused(BodegaError):
    """Valid, but the present state forbids it: insufficient stock, a state machine's illegal event."""

    code = "refused"


class IdempotencyMismatch(BodegaError):
    """A `cmd_id` or Idempotency-Key came back with another body."""

    code = "idempotency-mismatch"


class InFlight(BodegaError):
    """The same idempotency key is being worked on right now."""

    code = "in-flight"


class Unauthenticated(BodegaError):
    """No credentials, or wrong ones."""

    code = "unauthenticated"


class Unavailable(BodegaError):
    """A peer, a daemon, a device or a program that we need is not there; trying again may help."""

    code = "unavailable"

    def __init__(
        self, message: str, *, hint: str = "", code: str | None = None, retry_after_s: float = 1.0
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.retry_after_s = retry_after_s


class PeerFault(BodegaError):
    """The other end broke the protocol: a broken chain, a foreign envelope, a malformed message."""

    code = "peer-fault"


class ConfigInvalid(BodegaError):
    """A configuration file with faults; all of them are in `faults`."""

    code = "config-invalid"


class AddressInUse(BodegaError):
    """A port or socket that we want to listen on is taken."""

    code = "address-in-use"


class SchemaTooNew(BodegaError):
    """A database written by a newer Bodega: refuse rather than guess."""

    code = "schema-too-new"


class PermissionRefused(BodegaError):
    """The operating system or a role forbids it."""

    code = "permission-refused"


class IntegrityBroken(BodegaError):
    """A chain, a balance or a file does not add up: an alarm, never retried."""

    code = "integrity-broken"


@dataclass(frozen=True)
class Outcome:
    """How one error family looks on each face. `grpc` is a `grpc.StatusCode` name."""

    grpc: str
    http: int
    exit: ExitCode


OUTCOMES: dict[type[BodegaError], Outcome] = {
    InvalidInput: Outcome("INVALID_ARGUMENT", 422, ExitCode.DATA),
    NotFound: Outcome("NOT_FOUND", 404, ExitCode.NOT_FOUND),
    Refused: Outcome("FAILED_PRECONDITION", 409, ExitCode.CHECK_FAILED),
    IdempotencyMismatch: Outcome("ALREADY_EXISTS", 422, ExitCode.DATA),
    InFlight: Outcome("ABORTED", 409, ExitCode.TEMPORARY),
    Unauthenticated: Outcome("UNAUTHENTICATED", 401, ExitCode.PERMISSION),
    Unavailable: Outcome("UNAVAILABLE", 503, ExitCode.UNAVAILABLE),
    PeerFault: Outcome("DATA_LOSS", 502, ExitCode.DATA),
    ConfigInvalid: Outcome("FAILED_PRECONDITION", 500, ExitCode.CONFIG),
    AddressInUse: Outcome("UNAVAILABLE", 500, ExitCode.ADDRESS_IN_USE),
    SchemaTooNew: Outcome("FAILED_PRECONDITION", 500, ExitCode.SCHEMA),
    PermissionRefused: Outcome("PERMISSION_DENIED", 403, ExitCode.PERMISSION),
    IntegrityBroken: Outcome("DATA_LOSS", 500, ExitCode.CHECK_FAILED),
    BodegaError: Outcome("INTERNAL", 500, ExitCode.INTERNAL),
}


def outcome_of(error: BodegaError) -> Outcome:
    """The most specific row of the table for this error."""
    for family in type(error).__mro__:
        if family in OUTCOMES:
            return OUTCOMES[family]
    return OUTCOMES[BodegaError]

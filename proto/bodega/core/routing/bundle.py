"""A routing bundle: the rules by which orders find their nodes, as one immutable, versioned value."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from bodega.core.routing import default
from bodega.core.routing.compiling import Compiled, compile_document
from bodega.core.routing.document import Document
from bodega.core.routing.shapes import Reader, canonical, loads, plain
from bodega.errors import FieldFault, InvalidInput
from bodega.limits_hub import ROUTING_BUNDLE_BYTES_MAX

_IN_USE_MAX = 8


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle is its bytes: `body` is canonical JSON, `digest` its SHA-256 in hexadecimal. Made by `parse` only."""

    body: bytes = field(repr=False)
    digest: str
    document: Document = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """How people and records call it."""
        return self.document.name

    @property
    def version(self) -> int:
        """Rises with every change."""
        return self.document.version

    @property
    def rule(self) -> str:
        """As decisions name it: "nearest-with-floor@1"."""
        return f"{self.name}@{self.version}"

    def allows_edge(self, decision: str) -> bool:
        """Whether a node may decide that alone: "carrier", "pickup" or "within_site"."""
        return decision in self.document.edge.allows


def parse(body: bytes, *, is_known: bool = False) -> Bundle:
    """The bundle that some JSON says, whatever its spacing. Raises InvalidInput "bundle-invalid" with all faults.

    Its golden cases are not tried: that is `checking.check`. One that `is_known` was parsed here before: its
    expressions are compiled when a decision needs them, and the engine is loaded then.
    """
    if len(body) > ROUTING_BUNDLE_BYTES_MAX:
        fault = FieldFault("bundle", f"must have {ROUTING_BUNDLE_BYTES_MAX} bytes at most, has {len(body)}")
        raise _invalid((fault,))
    try:
        said = loads(body, "the bundle")
    except InvalidInput as error:
        raise _invalid((FieldFault("bundle", error.message.removeprefix("the bundle ")),)) from error
    reader = Reader()
    document = reader.read(Document, said, "")
    if document is None:
        raise _invalid(tuple(reader.faults))
    faults = () if is_known else compile_document(document)[1]
    if faults:
        raise _invalid(faults)
    return _bundle(canonical(said), document)


def _bundle(body: bytes, document: Document) -> Bundle:
    return Bundle(body, sha256(body).hexdigest(), document)


def _invalid(faults: tuple[FieldFault, ...]) -> InvalidInput:
    return InvalidInput(
        f"the bundle has {'1 fault' if len(faults) == 1 else f'{len(faults)} faults, first'}: {faults[0]}",
        code="bundle-invalid",
        hint="mend each of them; nothing has changed",
        faults=faults,
    )


@lru_cache(maxsize=_IN_USE_MAX)
def compiled(bundle: Bundle) -> Compiled:
    """The rules of a bundle, compiled when they are first needed."""
    rules, faults = compile_document(bundle.document)
    if faults:
        raise _invalid(faults)
    return rules


DEFAULT = _bundle(canonical(plain(default.DOCUMENT)), default.DOCUMENT)

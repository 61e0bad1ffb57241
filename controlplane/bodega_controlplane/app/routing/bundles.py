"""Bundles: read with every fault at once, kept for ever, found by name or digest."""

from __future__ import annotations

from collections.abc import Callable

from bodega.core.routing.bundle import DEFAULT, Bundle, parse
from bodega.core.routing.checking import check
from bodega.errors import InvalidInput, NotFound, Refused
from bodega_controlplane.app.routing.views import BundleView
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import routing
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

Sign = Callable[[bytes], bytes]


def read_checked(document: bytes, clock: Callable[[], float]) -> Bundle:
    """The bundle of a document that may be put in force: no fault of shape, golden cases pass, and it is fast enough.

    `clock`: seconds, to measure by. Raises InvalidInput with every fault.
    """
    bundle = parse(document)
    faults = tuple(check(bundle, clock))
    if faults:
        many = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise InvalidInput(
            f"the bundle {bundle.rule} has {many}",
            hint="mend each one named; the bundle in force stays as it is",
            faults=faults,
        )
    return bundle


def keep(tx: Transaction, caller: Caller, bundle: Bundle, sign: Sign) -> None:
    """Write a bundle, once and for ever. Raises Refused ("version-taken") where its name and version are another's."""
    known = routing.bundle(tx, bundle.rule)
    if known is not None and known.digest != bundle.digest:
        raise Refused(
            f"{bundle.rule} is another bundle already, with the digest {known.digest[:12]}",
            code="version-taken",
            hint="a bundle never changes: give the new one a higher version",
        )
    if known is None:
        _write(tx, caller, bundle, sign)


def keep_default(tx: Transaction, caller: Caller, sign: Sign) -> None:
    """Keep the rules that a hub begins with, so that what was decided by them can be made again by a later version."""
    if routing.bundle(tx, DEFAULT.digest) is None:
        _write(tx, caller, DEFAULT, sign)


def _write(tx: Transaction, caller: Caller, bundle: Bundle, sign: Sign) -> None:
    routing.keep_bundle(
        tx,
        {
            "digest": bundle.digest,
            "rule": bundle.rule,
            "document": bundle.body,
            "signature": sign(bundle.body),
            "added_at_ms": caller.now_ms,
            "added_by": caller.actor,
        },
    )


def row_of(tx: Transaction, name: str) -> Row:
    """The row of a bundle by digest or "name@version". Raises NotFound."""
    found = routing.bundle(tx, name)
    if found is None:
        raise NotFound(f"there is no bundle '{name[:80]}'", hint="list them: bodegactl routing ls")
    return found


def find(tx: Transaction, name: str) -> Bundle:
    """A bundle that is kept, by digest or "name@version". Raises NotFound, InvalidInput if it can not be read."""
    return DEFAULT if name in {DEFAULT.rule, DEFAULT.digest} else parse(row_of(tx, name).document)


def in_force(tx: Transaction) -> tuple[int, str]:
    """The activation in force with the digest of its bundle; (0, that of the default) before there was one."""
    newest = routing.activations(tx, 1)
    return (newest[0].activation, newest[0].digest) if newest else (0, DEFAULT.digest)


def view(bundle: Bundle, row: Row | None = None, *, digest_in_force: str = "") -> BundleView:
    """What is told of a bundle."""
    digest = bundle.digest
    return BundleView(
        bundle.rule,
        digest,
        len(bundle.body),
        row.added_at_ms if row is not None else 0,
        digest == digest_in_force,
    )


def list_bundles(tx: Transaction) -> tuple[BundleView, ...]:
    """Every bundle, the newest first."""
    _, digest = in_force(tx)
    return tuple(
        BundleView(row.rule, row.digest, len(row.document), row.added_at_ms, row.digest == digest)
        for row in routing.bundles(tx)
    )

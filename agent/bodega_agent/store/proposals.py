"""A person at the node edits a record that the hub keeps: checked here, told to the hub; in force at once if ours.

Who owns which field is the table of `core.conflicts.fields`. What the node owns is kept in `local_field` and outranks
what the hub sends of it; everything else comes back as the hub's ordinary record once the hub has decided.
"""

from __future__ import annotations

from collections.abc import Mapping

from bodega.core.conflicts.fields import BIN, FIELDS, SETTING, SKU, Owner
from bodega.core.fields import Wrong
from bodega.errors import FieldFault, InvalidInput
from bodega.v1 import catalogue_pb2
from bodega_agent.rules.settings import faults_in
from bodega_agent.store import catalogue
from bodega_agent.store.booking import Json
from bodega_agent.store.transaction import Context, Transaction


def propose(
    tx: Transaction,
    context: Context,
    *,
    kind: str,
    subject: str,
    values: Mapping[str, str],
    reason: str = "",
) -> Json:
    """Edit fields of one record. Returns {proposals: [{event, field, value, in_force}]}.

    Raises InvalidInput with every fault: a record that is not here, a field that is no field or the hub's own, a
    value that can not be.
    """
    _check(tx, kind, subject, values)
    base_version = _version_of(tx, kind, subject)
    proposals: list[Json] = []
    for field, value in values.items():
        mine = FIELDS[kind, field].owner is Owner.NODE
        if mine:
            _put_in_force(tx, kind, subject, field, value)
        seq = tx.append(
            context,
            field_proposed=catalogue_pb2.FieldProposed(
                kind=kind,
                subject=subject,
                field=field,
                value=value,
                base_version=base_version,
                reason=reason,
            ),
        )
        event = f"{tx.get('node_id')}/{tx.head.epoch}/{seq}"
        proposals.append({"event": event, "field": field, "value": value, "in_force": mine})
    return {"kind": kind, "subject": subject, "base_version": base_version, "proposals": proposals}


def _check(tx: Transaction, kind: str, subject: str, values: Mapping[str, str]) -> None:
    faults = list(_faults_of_record(tx, kind, subject))
    if not values:
        faults.append(FieldFault("fields", "must name at least one field=value"))
    if not faults:
        problems = {field: _problem(tx, kind, subject, field, value) for field, value in values.items()}
        faults = [FieldFault(field, problem) for field, problem in problems.items() if problem]
    if faults:
        raise InvalidInput(
            f"this edit can not be: {'; '.join(map(str, faults))}",
            hint="mend each one named; what is the hub's own is changed there",
            faults=tuple(faults),
        )


def _faults_of_record(tx: Transaction, kind: str, subject: str) -> list[FieldFault]:
    if kind == SKU and catalogue.sku_by_id(tx, subject) is None:
        return [FieldFault("subject", f"'{subject}' is no SKU in the catalogue")]
    if kind == BIN and not catalogue.has_bin(tx, subject):
        return [FieldFault("subject", f"'{subject}' is no bin of this node")]
    if kind not in {SKU, BIN, SETTING}:
        return [FieldFault("kind", f"must be {SKU}, {BIN} or {SETTING}, is '{kind}'")]
    return []


def _problem(tx: Transaction, kind: str, subject: str, field: str, value: str) -> str:
    """What is wrong with one field, or empty."""
    rule = FIELDS.get((kind, field))
    if rule is None:
        known = sorted(name for of, name in FIELDS if of == kind and FIELDS[of, name].owner is not Owner.HUB)
        return f"is no field of a {kind}: use {', '.join(known)}"
    if rule.owner is Owner.HUB:
        return "is the hub's own: ask whoever runs the catalogue"
    try:
        rule.read(value)
    except Wrong as wrong:
        return str(wrong)
    if kind == SETTING:
        return "; ".join(faults_in({subject: value}))
    if field == "home_bin" and not catalogue.has_bin(tx, value):
        return f"'{value}' is no bin of this node"
    return ""


def _version_of(tx: Transaction, kind: str, subject: str) -> int:
    """The version of the record that a person sees here."""
    if kind == SKU:
        row = tx.one("SELECT version FROM sku WHERE sku_id = ?", (subject,))
        return int(row[0]) if row else 0
    return int(tx.get("profile_version" if kind == BIN else "generation", 0))


def _put_in_force(tx: Transaction, kind: str, subject: str, field: str, value: str) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO local_field(kind, subject, field, value) VALUES (?, ?, ?, ?)",
        (kind, subject, field, value),
    )
    catalogue.apply_local_fields(tx)

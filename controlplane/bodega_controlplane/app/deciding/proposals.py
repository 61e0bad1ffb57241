"""Edits from nodes: held against what the hub has, put in force, kept, or left to a person.

The rule is `core.conflicts.fields`. A shared field is decided here, in the transaction that reads the node's event,
so the hub's own order decides; what wins goes to every node as an ordinary change of the record.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from bodega.core.conflicts.fields import (
    BIN,
    FIELDS,
    PROPOSAL,
    SETTING,
    SKU,
    Decision,
    Edit,
    ProposalState,
    Standing,
    decide,
    edited_on_both_sides,
)
from bodega.errors import BodegaError, InvalidInput, NotFound
from bodega.v1 import catalogue_pb2
from bodega_controlplane.app.applying import reported
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.views import Caller, SkuDraft, SkuUnit, SkuView
from bodega_controlplane.store import catalogue as sku_rows
from bodega_controlplane.store import facts, proposals
from bodega_controlplane.store import nodes as node_rows
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

_OPEN = frozenset({ProposalState.LOST, ProposalState.WAITING})
_WHY = {
    Decision.APPLY: "in force",
    Decision.LOSE: "another edit came first; it is kept",
    Decision.WAIT: "a person must put it in force",
    Decision.REFUSE: "it is no field that a node may edit",
}


class ProposalBook:
    """The edits in a batch of one node's events."""

    def __init__(self, tx: Transaction, node_id: str, now_ms: int) -> None:
        self._tx = tx
        self._node_id = node_id
        self._caller = Caller(f"node:{node_id}", "hub", now_ms)
        self._edits: list[tuple[Edit, int, int, str]] = []

    def proposed(self, said: catalogue_pb2.FieldProposed, epoch: int, seq: int) -> None:
        """The node has edited a field."""
        event = f"{self._node_id}/{epoch}/{seq}"
        edit = Edit(event, self._node_id, said.kind, said.subject, said.field, said.value, said.base_version)
        self._edits.append((edit, epoch, seq, said.reason))

    def write(self) -> None:
        """Decide each, in order."""
        if not self._edits:
            return
        sku_rows.lock(self._tx)
        for edit, epoch, seq, reason in self._edits:
            state, why, conflict_id = self._decide(edit)
            row = {**edit._asdict(), "proposal_id": edit.event, "epoch": epoch, "seq": seq, "reason": reason}
            del row["event"]
            decided = {"state": state, "why": why, "conflict_id": conflict_id, "at_ms": self._caller.now_ms}
            proposals.put(self._tx, {**row, **decided})

    def _decide(self, edit: Edit) -> tuple[ProposalState, str, str]:
        """The state of the proposal, why, and the conflict that tells of it."""
        standing = _standing(self._tx, edit)
        decision = decide(edit, standing) if standing else Decision.REFUSE
        why = _WHY[decision] if standing else f"there is no {edit.kind} '{edit.subject}' at the hub"
        if decision is Decision.APPLY:
            try:
                _put_in_force(self._tx, self._caller, edit)
            except BodegaError as error:
                decision, why = Decision.REFUSE, str(error.faults[0]) if error.faults else error.message
        conflict_id = ""
        if standing and decision in {Decision.LOSE, Decision.WAIT}:
            conflict_id = self._open_conflict(edit, standing, decision)
        return PROPOSAL.step(PROPOSAL.start, decision), why, conflict_id

    def _open_conflict(self, edit: Edit, standing: Standing, decision: Decision) -> str:
        conflict = edited_on_both_sides(edit, standing, decision)
        facts.put_conflicts(self._tx, [reported.conflict_row(conflict, self._caller.now_ms)])
        self._tx.audit(
            at_ms=self._caller.now_ms,
            actor=self._caller.actor,
            action="conflict.opened",
            subject=conflict.sku_id or edit.node_id,
            detail={"conflict_id": conflict.conflict_id, "rule": conflict.rule, "event": edit.event},
        )
        return conflict.conflict_id


def _standing(tx: Transaction, edit: Edit) -> Standing | None:
    """What the hub has of the field; None if it has no such record."""
    if edit.kind == SKU:
        found = catalogue.view_of(tx, edit.subject)
        if found is None:
            return None
        view, changed = found
        first = (1, f"hub/{SKU}:{edit.subject}/1")
        return Standing(_text(view, edit.field), *changed.get(edit.field, first))
    node = node_rows.by_id(tx, edit.node_id)
    assert node is not None, "it is the node whose journal is read"
    if edit.kind == SETTING:
        generation = int(node.desired_generation)
        value = json.loads(node.desired_settings).get(edit.subject, "")
        return Standing(value, generation, f"hub/{SETTING}:{edit.subject}@{edit.node_id}/{generation}")
    version = int(node.profile_version)
    return Standing("", version, f"hub/{edit.kind}:{edit.subject}@{edit.node_id}/{version}")


def _text(view: SkuView, field: str) -> str:
    """A field as a proposal writes it."""
    value: Any = getattr(view, field, "")
    if field == "gtins":
        return " ".join(value)
    if field == "units":
        return ";".join("/".join((f"{one.unit}={one.base_units}", *one.gtins)) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _put_in_force(tx: Transaction, caller: Caller, edit: Edit) -> None:
    """Change the record as the edit says. Raises InvalidInput, NotFound."""
    if edit.kind == BIN:
        _set_walk_order(tx, edit)
    elif edit.kind == SKU and edit.field in {field.name for field in fields(SkuDraft)}:
        found = catalogue.view_of(tx, edit.subject)
        if found is None:
            raise NotFound(
                f"there is no SKU '{edit.subject}'", hint="list the catalogue: bodegactl catalog ls"
            )
        draft = SkuDraft(**{field.name: getattr(found[0], field.name) for field in fields(SkuDraft)})
        value: Any = FIELDS[SKU, edit.field].read(edit.value)
        if edit.field == "units":
            value = tuple(SkuUnit(*unit) for unit in value)
        catalogue.upsert_skus(tx, caller, [replace(draft, **{edit.field: value})], by=edit.event)


def _set_walk_order(tx: Transaction, edit: Edit) -> None:
    """The hub's copy of the node's profile takes the node's word; the node has it already."""
    node = node_rows.by_id(tx, edit.node_id)
    assert node is not None, "it is the node whose journal is read"
    profile = catalogue_pb2.NodeProfile.FromString(node.profile)
    here = [one for one in profile.bins if one.bin_id == edit.subject]
    if not here:
        raise InvalidInput(f"the node's profile has no bin '{edit.subject}'", hint="add it to the profile")
    here[0].walk_order = int(edit.value)
    node_rows.change(tx, edit.node_id, profile=profile.SerializeToString())


@dataclass(frozen=True, slots=True)
class ProposalView:
    """An edit of a node, and what became of it; `proposal_id` is its event."""

    proposal_id: str
    node_id: str
    kind: str
    subject: str
    field: str
    value: str
    base_version: int
    reason: str
    state: str
    why: str
    conflict_id: str
    at_ms: int


def list_proposals(tx: Transaction, *, size: int = 0, open_only: bool = False) -> tuple[ProposalView, ...]:
    """Newest first."""
    states = _OPEN if open_only else frozenset(ProposalState)
    return tuple(map(_view, proposals.page(tx, limit_of(size), states=states)))


def apply_proposal(
    tx: Transaction, caller: Caller, proposal_id: str, sign: Callable[[bytes], bytes]
) -> ProposalView:
    """A person puts an edit in force that lost or waits; `sign` (`hub.key.sign`) is for settings.

    Raises NotFound, Refused (it is in force or was refused), InvalidInput (the record can not be so any more).
    """
    sku_rows.lock(tx)
    row = _known(tx, proposal_id)
    state = PROPOSAL.step(ProposalState(row.state), Decision.APPLY)
    edit = Edit(*(row.proposal_id if name == "event" else getattr(row, name) for name in Edit._fields))
    if edit.kind == SETTING:
        node = node_rows.by_id(tx, edit.node_id)
        settings = {**json.loads(node.desired_settings if node else "{}"), edit.subject: edit.value}
        nodes.set_desired_state(tx, caller, edit.node_id, settings, sign)
    else:
        _put_in_force(tx, caller, edit)
    proposals.change(tx, proposal_id, state=state, why=f"put in force by {caller.actor}")
    if row.conflict_id:
        decision = f"{edit.field} of {edit.kind} {edit.subject} is {edit.value}"
        proposals.resolve_conflict(
            tx, row.conflict_id, by=caller.actor, decision=decision, at_ms=caller.now_ms
        )
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="proposal.applied",
        subject=edit.subject,
        detail={"proposal_id": proposal_id, "field": edit.field, "conflict_id": row.conflict_id},
    )
    return _view(_known(tx, proposal_id))


def _known(tx: Transaction, proposal_id: str) -> Row:
    row = proposals.by_id(tx, proposal_id)
    if row is None:
        raise NotFound(
            f"there is no proposal '{proposal_id}'", hint="list them: bodegactl catalog proposals ls"
        )
    return row


def _view(row: Row) -> ProposalView:
    return ProposalView(**{field.name: getattr(row, field.name) for field in fields(ProposalView)})

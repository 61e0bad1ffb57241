"""Values of conflicts and overrides that go into and come out of the use cases, beside `app.views`."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_controlplane.app.views import ConflictView


@dataclass(frozen=True, slots=True)
class ConflictInputView:
    """One of the facts that met; `fact` is "missing" while the hub does not hold it."""

    event: str
    fact: str
    who: str
    at_ms: int
    sentence: str


@dataclass(frozen=True, slots=True)
class ConflictStory:
    """A conflict with its inputs told, and what its rule does."""

    conflict: ConflictView
    inputs: tuple[ConflictInputView, ...]
    rule_sentence: str


@dataclass(frozen=True, slots=True)
class OverrideTerms:
    """Why a rule is set aside, and milliseconds after which it is in force again."""

    reason: str
    expires_after_ms: int


@dataclass(frozen=True, slots=True)
class HoldDraft:
    """Units to keep from being promised at a node; 0 units or an empty lot mean all."""

    node_id: str
    sku_id: str
    lot: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OverrideView:
    """A rule that a person at the centre has set aside; fields as in bodega.v1.Override."""

    override_id: str
    kind: str
    subject: str
    effect: str
    reason: str
    actor: str
    state: str
    opened_at_ms: int
    expires_after_ms: int
    ended_at_ms: int
    ended_by: str

"""The same record is edited at the hub and at a node: a table says who owns each field, and that decides.

- the hub's own fields are not edited at a node at all;
- the node's own fields (where things stand in its house) are in force there at once, and the hub takes its word;
- a shared field goes by the hub's order: an edit made without having seen the newest value loses, and is kept;
- what changes how goods are counted or told apart (units, barcodes, lots, serials) and settings, which an operator
  signs, never merge by themselves: a person puts them in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from bodega.core import fields
from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES
from bodega.core.fields import Wrong, shown
from bodega.core.gtin import as_gtin14
from bodega.core.tables import StateTable
from bodega.limits import GTINS_PER_SKU_MAX, QUANTITY_MAX, UNITS_PER_SKU_MAX

KIND = "edited_on_both_sides"

SKU, BIN, NODE, SETTING = "sku", "bin", "node", "setting"

UnitText: TypeAlias = tuple[str, int, tuple[str, ...]]
Typed: TypeAlias = int | bool | str | tuple[str, ...] | tuple[UnitText, ...]
TextReader: TypeAlias = Callable[[str], Typed]

_UINT32_MAX = 2**32 - 1
_FLAGS = {"true": True, "false": False}


class Owner(StrEnum):
    """Whose word on a field counts."""

    HUB = "hub"
    NODE = "node"
    SHARED = "shared"
    PERSON = "person"


class FieldRule(NamedTuple):
    """A row of the table; `read` makes a text of the field its value, or raises Wrong."""

    owner: Owner
    read: TextReader


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_UINT32_MAX))):
        raise Wrong(f"must be a whole number from 0 to {_UINT32_MAX}, is {shown(text)}")
    value = int(text)
    if value > _UINT32_MAX:
        raise Wrong(f"must be at most {_UINT32_MAX}, is {shown(text)}")
    return value


def _flag(text: str) -> bool:
    if text not in _FLAGS:
        raise Wrong(f"must be true or false, is {shown(text)}")
    return _FLAGS[text]


def _gtins(text: str) -> tuple[str, ...]:
    listed = text.split()
    if len(listed) > GTINS_PER_SKU_MAX:
        raise Wrong(f"must be at most {GTINS_PER_SKU_MAX} GTINs, are {len(listed)}")
    return tuple(sorted({as_gtin14(str(fields.gtin(one))) for one in listed}))


def _units(text: str) -> tuple[UnitText, ...]:
    """`case=12/04006381333931;pallet=480`: a unit, its base units, and its GTINs after slashes."""
    units: list[UnitText] = []
    for part in filter(None, map(str.strip, text.split(";"))):
        name, _, rest = part.partition("=")
        count, *gtins = rest.split("/")
        base_units = _number(count)
        if not 0 < base_units <= QUANTITY_MAX:
            raise Wrong(f"must have 1 to {QUANTITY_MAX} base units in each unit, is {shown(part)}")
        units.append((str(fields.unit_name(name)), base_units, _gtins(" ".join(gtins))))
    if len(units) > UNITS_PER_SKU_MAX:
        raise Wrong(f"must be at most {UNITS_PER_SKU_MAX} units, are {len(units)}")
    return tuple(units)


def _identifier(text: str) -> str:
    return str(fields.identifier(text))


def _words(text: str) -> str:
    return str(fields.words(text))


FIELDS: Mapping[tuple[str, str], FieldRule] = MappingProxyType(
    {
        **{
            (SKU, name): FieldRule(Owner.HUB, _words)
            for name in (
                "sku_id",
                "name",
                "owner",
                "components",
                "version",
                "units_version",
                "temperature_class",
                "velocity_class",
                "fragile",
            )
        },
        **{
            (SKU, name): FieldRule(Owner.SHARED, _number)
            for name in ("weight_g", "volume_ml", "length_mm", "width_mm", "height_mm")
        },
        (SKU, "gtins"): FieldRule(Owner.PERSON, _gtins),
        (SKU, "base_unit"): FieldRule(Owner.PERSON, _identifier),
        (SKU, "units"): FieldRule(Owner.PERSON, _units),
        **{
            (SKU, name): FieldRule(Owner.PERSON, _flag)
            for name in ("lot_tracked", "serial_tracked", "expiry_tracked")
        },
        # Where this node puts it away first; no other node has a use for it.
        (SKU, "home_bin"): FieldRule(Owner.NODE, _identifier),
        (BIN, "bin_id"): FieldRule(Owner.HUB, _identifier),
        (BIN, "walk_order"): FieldRule(Owner.NODE, _number),
        **{
            (BIN, name): FieldRule(Owner.HUB, _words)
            for name in (
                "kind",
                "temperature_class",
                "velocity_class",
                "capacity_ml",
                "capacity_g",
                "fixed_sku_id",
                "refill_below",
                "refill_to",
            )
        },
        **{
            (NODE, name): FieldRule(Owner.HUB, _words)
            for name in (
                "node_id",
                "name",
                "location",
                "ship_from",
                "sscc_range",
                "bins",
                "version",
                "cartons",
                "associates",
                "carrier_services",
                "tracking_ranges",
                "time_zone",
                "kind",
                "country",
                "capacity_orders",
                "labels",
            )
        },
        (SETTING, "value"): FieldRule(Owner.PERSON, _words),
    }
)


class ProposalState(StrEnum):
    """What became of an edit."""

    READ = "read"
    APPLIED = "applied"
    LOST = "lost"
    WAITING = "waiting"
    REFUSED = "refused"


class Decision(StrEnum):
    """What the rule says to an edit, or a person later."""

    APPLY = "apply"
    LOSE = "lose"
    WAIT = "wait"
    REFUSE = "refuse"


PROPOSAL = StateTable(
    name="proposal",
    states=ProposalState,
    events=Decision,
    start=ProposalState.READ,
    steps={
        (ProposalState.READ, Decision.APPLY): ProposalState.APPLIED,
        (ProposalState.READ, Decision.LOSE): ProposalState.LOST,
        (ProposalState.READ, Decision.WAIT): ProposalState.WAITING,
        (ProposalState.READ, Decision.REFUSE): ProposalState.REFUSED,
        # A person puts it in force.
        (ProposalState.LOST, Decision.APPLY): ProposalState.APPLIED,
        (ProposalState.WAITING, Decision.APPLY): ProposalState.APPLIED,
    },
    terminal=frozenset({ProposalState.APPLIED, ProposalState.REFUSED}),
)


class Edit(NamedTuple):
    """A field edited at a node that had seen `base_version` of the record; `event` is "<node>/<epoch>/<seq>"."""

    event: str
    node_id: str
    kind: str
    subject: str
    field: str
    value: str
    base_version: int


class Standing(NamedTuple):
    """What the hub has: the value as text, the record's version when it last changed, and what changed it.

    `by` is the event of a node, or "hub/<kind>:<subject>/<version>".
    """

    value: str
    version: int
    by: str


def decide(edit: Edit, standing: Standing) -> Decision:
    """Rule edited_on_both_sides@1. The hub's own order decides a shared field, and no clock."""
    rule = FIELDS.get((edit.kind, edit.field))
    if rule is None or rule.owner is Owner.HUB:
        return Decision.REFUSE
    try:
        value = rule.read(edit.value)
        same = edit.value == standing.value or (standing.value != "" and value == rule.read(standing.value))
    except Wrong:
        return Decision.REFUSE
    if same or rule.owner is Owner.NODE:
        return Decision.APPLY
    if rule.owner is Owner.PERSON:
        return Decision.WAIT
    # A node that edits again has seen its own last edit, whatever version came back to it since.
    seen = edit.base_version >= standing.version or standing.by.startswith(f"{edit.node_id}/")
    return Decision.APPLY if seen else Decision.LOSE


def edited_on_both_sides(edit: Edit, standing: Standing, decision: Decision) -> Conflict:
    """The row of an edit that lost, or waits for a person."""
    inputs = (edit.event, standing.by)
    what = f"{edit.field} of {edit.kind} {edit.subject}"
    now = standing.value or "not set"
    lost = decision is Decision.LOSE
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=f"{edit.node_id} had seen version {edit.base_version} when it made {what} {edit.value}; the hub has"
        f" {now} since version {standing.version}",
        effect=f"{what} stays {now}; {edit.value} is kept" + ("" if lost else " until a person decides"),
        undo=f"put it in force: bodegactl catalog proposals apply {edit.event}",
        node_id=edit.node_id,
        sku_id=edit.subject if edit.kind == SKU else "",
        effects=(f"kept:{edit.kind}/{edit.subject}/{edit.field}",),
        needs=""
        if lost
        else f"look whether {what} shall be {edit.value}: bodegactl catalog proposals apply {edit.event}",
    )

"""What a routing bundle says, as its JSON has it. Field by field; what it means together is checked in `compiling`.

Expressions are CEL over the facts of `facts.py`. A bundle is read from the top: filters say who may serve, scores and
ties who is best, stages how strict to be, one after the other until one finds nodes for all of the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bodega.core.routing.inputs import Inputs

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Filter:
    """`keep` is true where the node may serve; `why` tells people what it means that it is not.

    One that looks at `item` is judged for each SKU (the node may not serve that one), at `offer` for each carrier
    service (it is not chosen), else for the node.
    """

    name: str
    keep: str
    why: str


@dataclass(frozen=True, slots=True)
class Score:
    """`value` times `weight` is added to what asking the node costs; lower is better."""

    name: str
    value: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One attempt, if `when` is true of the order.

    At most `shares_max` nodes serve it, each after the first for `split_cost` on top of the nodes' scores. `without`
    names filters that this stage sets aside; `floor` is another floor than the bundle's, "" for that one.
    """

    name: str
    shares_max: int = 1
    split_cost: float = 0.0
    when: str = "true"
    without: tuple[str, ...] = ()
    floor: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Read in expressions as a function of its name, with one key or two; `default` where there is no row.

    `rows`: key -> value, or key -> second key -> value; all values, and the default, are whole numbers, numbers, texts
    or booleans alike.
    """

    rows: Mapping[str, object]
    default: object


@dataclass(frozen=True, slots=True)
class Expected:
    """The nodes chosen, in any order; the stage and the nodes' services (in the order of the nodes), if they matter."""

    nodes: tuple[str, ...] = ()
    stage: str = ""
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Golden:
    """A question and its answer; a bundle that answers another way is refused.

    `decision`: one of EDGE_DECISIONS, for what a node asks itself; of "within_site" the answer is shelves, by name.
    """

    name: str
    inputs: Inputs
    expect: Expected
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """What a node may decide alone ("carrier", "pickup", "within_site"), and by which rules.

    `stages`: by which it judges itself; without any a carrier is chosen by the bundle's, and a pickup needs no more
    than the node's rights. `shelf_filters` and `shelf_scores` are about its bins; without any the walk decides.
    """

    allows: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    shelf_filters: tuple[Filter, ...] = ()
    shelf_scores: tuple[Score, ...] = ()


EDGE_DECISIONS = ("carrier", "pickup", "within_site")


@dataclass(frozen=True, slots=True)
class Document:
    """A whole bundle. `floor`: units of each SKU that a node keeps, an expression over node and order."""

    name: str
    version: int
    stages: tuple[Stage, ...]
    format: int = FORMAT
    notes: str = ""
    floor: str = "0"
    tables: Mapping[str, Table] = field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    scores: tuple[Score, ...] = ()
    ties: tuple[str, ...] = ()
    golden: tuple[Golden, ...] = ()
    edge: Edge = field(default_factory=Edge)

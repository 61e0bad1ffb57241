"""Print the state tables as diagrams into the README files, between their markers.

A README says `<!-- diagram:order -->` ... `<!-- /diagram -->`; what stands between is written by
`make diagrams` and compared by the tests, so that a picture can never disagree with the rule.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from bodega.core.parts import BY_NEWEST, PartState, order_of
from bodega.core.tables import StateTable
from bodega_agent.rules.floor import flows

ROOT = Path(__file__).resolve().parent.parent
RULE_PACKAGES = ("bodega.core", "bodega_agent.rules", "bodega_controlplane.rules")
SKIPPED_FOLDERS = frozenset({".venv", "node_modules", ".git"})
BLOCK = re.compile(r"<!-- diagram:(?P<name>[\w-]+) -->\n(?P<body>.*?)<!-- /diagram -->", re.DOTALL)

AnyTable = StateTable[Any, Any]


def modules_of(package: str) -> Iterator[ModuleType]:
    """A package and everything below it, imported; nothing where it does not exist."""
    try:
        top = importlib.import_module(package)
    except ModuleNotFoundError as missing:
        if missing.name != package:
            raise
        return
    yield top
    for found in pkgutil.walk_packages(top.__path__, f"{package}."):
        yield importlib.import_module(found.name)


def state_tables() -> dict[str, AnyTable]:
    """Every state table of the rules, by its name; two tables of one name are a mistake."""
    tables: dict[str, AnyTable] = {}
    for package in RULE_PACKAGES:
        for module in modules_of(package):
            for value in vars(module).values():
                if isinstance(value, StateTable) and tables.setdefault(value.name, value) is not value:
                    raise ValueError(
                        f"two state tables are named '{value.name}'; one is in {module.__name__}"
                    )
    return tables


def readmes(root: Path = ROOT) -> list[Path]:
    """Every README of the project."""
    return sorted(path for path in root.rglob("README.md") if not SKIPPED_FOLDERS & set(path.parts))


def drawings() -> dict[str, str]:
    """Every picture by its name: the state tables, the parts of orders, the floor's flows and words."""
    tables = {name: table.mermaid() for name, table in state_tables().items()}
    drawn = {f"floor-{flow.name}": flows.diagram_of(flow) for flow in flows.ALL}
    return tables | drawn | {"floor-words": flows.words_table(), "parts": parts_table()}


def parts_table() -> str:
    """What a part is by its newest assignment, or by the hub's word; and what an order is that has no other part."""
    rows = [(str(state), part) for state, part in BY_NEWEST.items()]
    rows += [("none yet, or all ended", part) for part in PartState if part not in BY_NEWEST.values()]
    lines = ["| newest assignment | part | order, in full | order, else |", "|---|---|---|---|"]
    for assignment, part in rows:
        whole, else_ = (order_of([part], cancel_asked=False, in_full=full) for full in (True, False))
        lines.append(f"| {assignment} | {part} | {whole} | {else_} |")
    return "\n".join(lines)


def redraw(text: str, pictures: dict[str, str]) -> str:
    """The text with every block drawn from its table; KeyError where a marker names no table."""

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        picture = pictures[name]
        body = picture if picture.startswith("|") else f"```mermaid\n{picture}\n```"
        return f"<!-- diagram:{name} -->\n{body}\n<!-- /diagram -->"

    return BLOCK.sub(block, text)


def drawn(text: str) -> set[str]:
    """The names of the tables that a text draws."""
    return {match["name"] for match in BLOCK.finditer(text)}


def main() -> int:
    """Redraw all; say which files changed and which tables no README shows."""
    pictures = drawings()
    shown: set[str] = set()
    for path in readmes():
        before = path.read_text()
        after = redraw(before, pictures)
        shown |= drawn(after)
        if after != before:
            path.write_text(after)
            print(f"redrew {path.relative_to(ROOT)}")
    for name in sorted(pictures.keys() - shown):
        print(f"no README draws '{name}': put <!-- diagram:{name} --> and <!-- /diagram --> where it belongs")
    return 0


if __name__ == "__main__":
    sys.exit(main())

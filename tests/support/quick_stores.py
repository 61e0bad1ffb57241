"""What every test of the hub would do again: a hundred tables are made once, and a statement is compiled once.

Tests open a thousand stores, a control plane opens one. What is under test stays as it is: the file is one that
`open_store` has made, which looks at its version again, and a compiled statement is the same text.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bodega_controlplane.store.engine import Store, open_store, sqlite_path

_DIALECTS: dict[str, sa.Dialect] = {}
_COMPILED: dict[Any, Any] = {}


def lay_schema(data_dir: Path) -> None:
    """A hub's SQLite file with today's schema and no rows, unless there is one."""
    path = sqlite_path(data_dir)
    if not path.exists() and data_dir.is_dir():
        path.write_bytes(_file_with_schema())


@cache
def _file_with_schema() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        open_store("sqlite", Path(folder)).close()
        return sqlite_path(Path(folder)).read_bytes()


def share_statements(store: Store) -> None:
    """Of one kind of database, a statement that one store has compiled is compiled for all."""
    engine = store._engine
    # SQLAlchemy keeps compiled statements by the dialect that compiled them.
    engine.dialect = _DIALECTS.setdefault(engine.dialect.name, engine.dialect)
    engine._compiled_cache = _COMPILED

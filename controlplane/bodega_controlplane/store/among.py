"""A column that is one of many values, as one parameter: the statement stays the same however many they are.

`IN (...)` with a parameter each is put together, sent and planned anew for every other number of values.
"""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from bodega_controlplane.store.transaction import Transaction


def among(tx: Transaction, column: sa.Column[str], values: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether a column of text is one of these."""
    if tx.exclusive:
        listed = sa.func.json_each(json.dumps(sorted(values))).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.any_(sa.bindparam(None, sorted(values), type_=ARRAY(sa.Text), unique=True))

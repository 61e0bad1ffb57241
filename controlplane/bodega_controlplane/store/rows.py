"""What queries answer with: rows whose columns are attributes, named as in `store.schema`."""

from __future__ import annotations

from typing import Any, TypeAlias

import sqlalchemy as sa

Row: TypeAlias = sa.Row[Any]
# What rows are put into, for those who only hand it on.
Table: TypeAlias = sa.Table

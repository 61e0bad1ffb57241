"""How a column of the control plane's tables is written: one word for each kind."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def text(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[str]:
    """Text, never NULL."""
    return sa.Column(name, sa.Text, primary_key=key, nullable=False, server_default=default)


def boolean(name: str) -> sa.Column[bool]:
    """True or false; false for the rows that are there."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def integer(name: str, *, key: bool = False, default: int | None = None) -> sa.Column[int]:
    """64 bits, never NULL."""
    server_default = None if default is None else sa.text(str(default))
    return sa.Column(
        name,
        sa.BigInteger,
        primary_key=key,
        nullable=False,
        autoincrement=False,
        server_default=server_default,
    )


def octets(name: str) -> sa.Column[bytes]:
    """Bytes, never NULL."""
    return sa.Column(name, sa.LargeBinary, nullable=False)

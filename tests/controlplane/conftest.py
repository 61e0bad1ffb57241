"""Fixtures of the control plane's tests: a store on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega_controlplane.store.engine import Store
from support.controlplane import open_test_store
from support.nats import nats_server
from support.postgres import postgres_server, postgres_template, postgres_url

__all__ = ["nats_server", "postgres_server", "postgres_template", "postgres_url"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """ "sqlite", or the URL of a fresh PostgreSQL database."""
    return "sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(database: str, tmp_path: Path) -> Iterator[Store]:
    """An open store on each kind of database."""
    opened = open_test_store(database, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An open store on SQLite, where the kind does not matter."""
    opened = open_test_store("sqlite", tmp_path)
    yield opened
    opened.close()

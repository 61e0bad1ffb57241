"""A real PostgreSQL for tests: made in a temporary folder, listening on a Unix socket only, gone at the end.

Uses the newest server found in /usr/lib/postgresql or on PATH. PostgreSQL refuses to run as root, so it then
runs as the user "postgres" or "nobody". Without a server, tests that ask for it are skipped and say so;
with BODEGA_REQUIRE_POSTGRES=1 (as in CI) they fail instead.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from bodega_controlplane.store.engine import open_store


@dataclass(frozen=True)
class PostgresServer:
    """One running server."""

    folder: Path
    binaries: Path
    user: str | None
    durable: bool

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the server's user."""
        command = [str(self.binaries / program), *arguments]
        done = subprocess.run(
            command, user=self.user, cwd="/", capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start it, after `crash` with the recovery that follows; ready for connections on return."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=50"
        if not self.durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-o", options, "-w", "start")

    def crash(self) -> None:
        """Every process of it ends at once, in the middle of what it does: no checkpoint, no goodbye."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def new_database(self, like: str = "") -> str:
        """The SQLAlchemy URL of a fresh database: empty, or a copy of the one at the URL `like`."""
        name = f"t{secrets.token_hex(6)}"
        self._say(f"CREATE DATABASE {name}" + (f" TEMPLATE {_name_in(like)}" if like else ""))
        return f"postgresql+psycopg://bodega@/{name}?host={self.folder}"

    def drop_database(self, url: str) -> None:
        """It goes, whoever is still connected."""
        self._say(f"DROP DATABASE {_name_in(url)} WITH (FORCE)")

    def _say(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self.folder), user="bodega", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


def _name_in(url: str) -> str:
    return str(sa.make_url(url).database)


def find_binaries() -> Path | None:
    """Where the newest server's programs are, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).parent if on_path else None


def _server_user() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def serving(binaries: Path, *, durable: bool) -> Iterator[PostgresServer]:
    """A server of its own. `durable`: whether a commit is on the disk when it is answered, as in production."""
    # Not under pytest's folder: that one is closed to other users, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="bodega-pg-"))
    server = PostgresServer(folder, binaries, _server_user(), durable)
    if server.user is not None:
        shutil.chown(folder, server.user)
    data = str(folder / "data")
    server.run("initdb", "-D", data, "-U", "bodega", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    server.start()
    try:
        yield server
    finally:
        server.crash()
        shutil.rmtree(folder, ignore_errors=True)


def _binaries_or_skip() -> Path:
    binaries = find_binaries()
    if binaries is None:
        reason = "there is no PostgreSQL server here (Debian: apt-get install postgresql)"
        if os.environ.get("BODEGA_REQUIRE_POSTGRES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return binaries


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole test run."""
    with serving(_binaries_or_skip(), durable=False) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server for one test, which may crash it; commits are durable, as in production."""
    with serving(_binaries_or_skip(), durable=True) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """A database with today's schema and no rows: to make a hundred tables takes longer than most tests."""
    url = postgres_server.new_database()
    open_store(url, postgres_server.folder).close()
    return url


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A database for one test: the schema, and no rows."""
    url = postgres_server.new_database(postgres_template)
    yield url
    postgres_server.drop_database(url)

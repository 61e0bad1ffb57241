"""PostgreSQL's own programs for copies: pg_dump and pg_restore, found on PATH or where Debian puts them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import sqlalchemy as sa

from bodega.errors import IntegrityBroken, Unavailable
from bodega.limits import TEXT_CHARS_MAX

MAGIC = b"PGDMP"


def dump(database: str, target: Path) -> None:
    """One snapshot of a database into an archive. Raises Unavailable, IntegrityBroken."""
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={target}", f"--dbname={_uri(database)}")


def restore(archive: Path, database: str) -> None:
    """An archive into an empty database, whole or not at all. Raises Unavailable, IntegrityBroken."""
    _run(
        "pg_restore",
        "--no-owner",
        "--exit-on-error",
        "--single-transaction",
        f"--dbname={_uri(database)}",
        str(archive),
    )


def _uri(database: str) -> str:
    """As libpq reads it; a configured database carries no password, that is in .pgpass."""
    return sa.make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)


def _run(program: str, *arguments: str) -> None:
    path = shutil.which(program) or _newest(program)
    if path is None:
        raise Unavailable(f"there is no {program} here", hint="Debian: apt-get install postgresql-client")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - no shell, and the arguments are the operator's own configuration
    if done.returncode:
        said = " ".join(done.stderr.split())[:TEXT_CHARS_MAX]
        raise IntegrityBroken(f"{program} failed: {said}", hint="nothing was kept; see what it says")


def _newest(program: str) -> str | None:
    found = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3])
    )
    return str(found[-1]) if found else None

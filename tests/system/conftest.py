"""What the stories on real processes share."""

from __future__ import annotations

from support.nats import nats_server
from support.postgres import own_postgres, postgres_server, postgres_template, postgres_url

__all__ = ["nats_server", "own_postgres", "postgres_server", "postgres_template", "postgres_url"]

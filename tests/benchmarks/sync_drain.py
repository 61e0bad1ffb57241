"""A node that was away for a day: its whole journal into the hub, beside what SQLite and JetStream do raw."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, NamedTuple

import nats
import psycopg
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig
from pysqlite3 import dbapi2
from sqlalchemy.engine import make_url

from benchmarks import ledger_rows as rows
from benchmarks.result import Result
from benchmarks.sync_parts import Centre, at_work, moments, running
from bodega import packing
from bodega.broker.pulling import Pull, batches
from bodega.broker.streams import publish_after
from bodega.codec import envelope_to_bytes
from bodega.core.sync import Head, Recorded, pack
from bodega.limits import ENVELOPE_EVENTS_MAX, UP_ENVELOPES_PER_COMMIT_MAX
from bodega_agent.store.schema import open_for_reading
from support.nats import NatsServer
from support.proxy import Proxy

# What an agent checks when it starts is over by then, and does not take part.
SETTLE_S = 4.0
JOURNAL = (
    "CREATE TABLE raw_journal(node_id TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,"
    " cmd_id TEXT NOT NULL, fact TEXT NOT NULL, at_ms BIGINT NOT NULL, committed_ms BIGINT NOT NULL,"
    " body {bytes} NOT NULL, hash {bytes} NOT NULL, PRIMARY KEY (node_id, epoch, seq))"
)


class Drained(NamedTuple):
    """Events a second, and bytes on the wire between agent and broker, both ways, by event."""

    rate: float
    wire_bytes: float


def figures(name: str, drained: Drained, raw_database: float, raw_stream: float) -> Iterator[Result]:
    """The results of one drain beside the raw limits of the same run."""
    yield Result.against(f"sync.{name}", round(drained.rate), "1/s", round(raw_database))
    yield Result.against(f"sync.{name}_to_jetstream", round(drained.rate), "1/s", round(raw_stream))


async def drain(folder: Path, ledger: Path, events: int, database: str) -> Drained:
    """A copy of `ledger` (a folder) drains through a real agent, broker and hub, each a process.

    Timed from the first connection to the hub's signed ack of the last event.
    """
    state_dir = folder / "node"
    shutil.copytree(ledger, state_dir)
    centre = Centre(folder / "centre", [rows.NODE_ID], database)
    async with running(centre), Proxy(centre.broker.port) as wire:
        wire.cut()
        async with at_work(centre.agent(rows.NODE_ID, state_dir, wire.url)) as agent:
            await moments(SETTLE_S)
            wire.passed_bytes = 0
            wire.heal()
            await agent.until_acked(events)
            took_s = asyncio.get_running_loop().time() - wire.connected_at_s
            passed_bytes = wire.passed_bytes
    return Drained(events / took_s, passed_bytes / events)


def recorded(ledger: Path) -> list[Recorded]:
    """The journal of a ledger."""
    with closing(open_for_reading(rows.path_in(ledger))) as connection:
        found = connection.execute("SELECT seq, body, hash FROM journal ORDER BY seq")
        return [Recorded(*row) for row in found]


def _hub_rows(journal: Sequence[Recorded]) -> list[tuple[Any, ...]]:
    at = rows.AT_MS
    return [
        (rows.NODE_ID, 1, one.seq, f"{one.seq:036}", "movement", at, at, one.body, one.hash)
        for one in journal
    ]


def commits(journal: Sequence[Recorded]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of the hub's journal, so many a commit as the hub takes."""
    size = UP_ENVELOPES_PER_COMMIT_MAX * ENVELOPE_EVENTS_MAX
    made = _hub_rows(journal)
    for begin in range(0, len(made), size):
        yield made[begin : begin + size]


def raw_sqlite(folder: Path, journal: Sequence[Recorded]) -> float:
    """Events a second: SQLite inserts the rows of the hub's journal, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = dbapi2.connect(folder / "raw.db", isolation_level=None)  # type: ignore[attr-defined]  # it has no types
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16384"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"{JOURNAL.format(bytes='BLOB')} WITHOUT ROWID")
    parts = list(commits(journal))
    begun = time.perf_counter()
    for made in parts:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO raw_journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", made)
        connection.execute("COMMIT")
    took_s = time.perf_counter() - begun
    connection.close()
    return len(journal) / took_s


def raw_postgres(database: str, journal: Sequence[Recorded]) -> float:
    """Events a second: PostgreSQL takes the rows of the hub's journal by COPY, and nothing else."""
    url = make_url(database).set(drivername="postgresql")
    parts = list(commits(journal))
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute(JOURNAL.format(bytes="BYTEA"))
        connection.commit()
        begun = time.perf_counter()
        for made in parts:
            with connection.cursor() as cursor, cursor.copy("COPY raw_journal FROM STDIN") as copy:
                for row in made:
                    copy.write_row(row)
            connection.commit()
        return len(journal) / (time.perf_counter() - begun)


async def raw_jetstream(folder: Path, journal: Sequence[Recorded]) -> float:
    """Events a second: one client publishes the same envelopes one by one, another pulls and acknowledges them."""
    bodies, head = [], Head()
    while head.seq < len(journal):
        envelope = pack(rows.NODE_ID, head, journal[head.seq : head.seq + ENVELOPE_EVENTS_MAX])
        head = Head(head.epoch, envelope.last_seq, envelope.last_hash)
        bodies.append(envelope_to_bytes(envelope, packing.UNDERSTOOD))
    server = NatsServer(folder / "raw-nats").start()
    try:
        writer, reader = await nats.connect(server.url), await nats.connect(server.url)
        stream = writer.jetstream()
        await stream.add_stream(StreamConfig(name="UP", subjects=["up.*.*"]))
        await stream.add_consumer("UP", ConsumerConfig(durable_name="hub", ack_policy=AckPolicy.EXPLICIT))
        begun = time.perf_counter()

        async def publish() -> None:
            last = 0
            for body in bodies:
                last = await publish_after(writer, "UP", f"up.{rows.NODE_ID}.1", body, last)

        async def take() -> None:
            missing = len(bodies)
            pull = Pull("UP", "hub", messages_max=128, batch_max=128, expires_s=10, heartbeat_s=1)
            async with aclosing(batches(reader, pull)) as pulled:
                async for messages in pulled:
                    for message in messages:
                        await message.ack()
                    missing -= len(messages)
                    if not missing:
                        return

        await asyncio.gather(publish(), take())
        took_s = time.perf_counter() - begun
        await writer.close()
        await reader.close()
    finally:
        server.stop()
    return len(journal) / took_s

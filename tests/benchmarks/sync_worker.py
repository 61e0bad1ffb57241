"""Nodes as a process of their own, for the sync benchmarks: told by one JSON argument, they answer in JSON lines.

`floor` is one node with a real store, at work: commands of the day at random times. `storm` is many nodes with
the real session and a real connection each, and their journals in memory: what is measured there is not the nodes.
Both wait for a line on standard input before they begin.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
import time
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

# Run as a script, so the folder that the tests import from is named here.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import ledger_rows as rows
from bodega.broker.connection import Broker
from bodega.host import log as logs
from bodega.v1 import fleet_pb2, sync_pb2
from bodega_agent.identity import HubKey
from bodega_agent.services.ports import SyncJournal
from bodega_agent.services.syncing import SyncService
from bodega_agent.store.store import Store
from bodega_agent.transport.nats_link import NatsLink
from support.sync_journal import MemoryJournal
from support.waiting import until

Json = dict[str, Any]

WITHIN_S = 300.0


class Session(SyncService):
    """The real session of one node, which notes when the hub's word came that it has an event.

    Times are of the monotonic clock, which all processes of a machine share.
    """

    def __init__(self, node_id: str, journal: SyncJournal, told: Json) -> None:
        super().__init__(
            node_id=node_id,
            boot_nonce=node_id,
            journal=journal,
            link=NatsLink(node_id, Broker(told["url"])),
            hub_key=HubKey(base64.b64decode(told["verify_key"])),
            health=_well,
        )
        self.lags_s: list[float] = []
        self.missing: dict[int, float] = {}
        self.acked_s = 0.0

    def committed(self, seq: int) -> None:
        """The caller has just been answered."""
        self.missing[seq] = time.monotonic()

    def ack_received(self, ack: sync_pb2.Ack) -> None:
        """See LinkListener."""
        self.acked_s = time.monotonic()
        for seq in [seq for seq in self.missing if seq <= ack.seq]:
            self.lags_s.append(self.acked_s - self.missing.pop(seq))
        super().ack_received(ack)


async def _well() -> fleet_pb2.Health:
    return fleet_pb2.Health(version="bench", ledger_ok=True)


def say(**values: object) -> None:
    """One line for whoever started this process."""
    print(json.dumps(values), flush=True)


async def told_to_begin() -> None:
    """Wait for a line."""
    await asyncio.to_thread(sys.stdin.readline)


async def floor(told: Json) -> None:
    """One node at work for `seconds`, `events_per_s`, exponentially spaced; says the lag of each event."""
    node_id = told["nodes"][0]
    path, draw = Path(told["folder"]) / node_id / "ledger.db", random.Random(told["seed"])
    store = Store(path, node_id=node_id, now_ms=lambda: rows.AT_MS, verify=lambda _key, _text: False)
    with closing(store):
        session = Session(node_id, store, told)
        running = asyncio.create_task(session.run())
        await until(lambda: session.status().connected, WITHIN_S, "a session")
        say(ready=True)
        await told_to_begin()
        ids = rows.cmd_ids(told["seed"])
        end, due, number = time.monotonic() + told["seconds"], time.monotonic(), 0
        while (due := due + draw.expovariate(told["events_per_s"])) < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked = rows.arrived(next(ids), rows.step(number))
            number += 1
            result = await store.write(partial(rows.through_store, asked=asked))
            session.committed(int(str(result["seq"])))
        await until(lambda: not session.missing, WITHIN_S, "the last acks")
        say(lags_s=session.lags_s)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def storm(told: Json) -> None:
    """Many nodes: all current, then `backlog` events each while the broker is away, then all current again."""
    bodies = [
        body
        for row in islice(rows.day(rows.cmd_ids()), told["backlog"])
        if isinstance(body := row.event[4], bytes)
    ]
    journals = {node_id: MemoryJournal.of(bodies[:1]) for node_id in told["nodes"]}
    sessions = {node_id: Session(node_id, journal, told) for node_id, journal in journals.items()}
    running = [asyncio.create_task(session.run()) for session in sessions.values()]

    def all_have(seq: int) -> bool:
        return all(session.status().acked_seq >= seq for session in sessions.values())

    await until(lambda: all_have(1), WITHIN_S, "every node's first ack")
    say(ready=True)
    await told_to_begin()
    for journal in journals.values():
        journal.append(*bodies)
    say(filled=True)
    await until(lambda: all_have(1 + len(bodies)), WITHIN_S, "every node to be current")
    say(current_s={node_id: session.acked_s for node_id, session in sessions.items()})
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


if __name__ == "__main__":
    logs.configure(level="error")
    asked: Json = json.loads(sys.argv[1])
    asyncio.run({"floor": floor, "storm": storm}[asked["kind"]](asked))

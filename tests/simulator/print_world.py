"""Nodes that print: real ledgers, the real print service and the real ZPL driver, over wires and time that are not.

Every job is followed from the write that carries it to the label that comes out: as its bytes leave a node, the
world looks into that node's ledger file for the job that is being sent, and stamps its id into the label (as a ZPL
comment). So it is known of each job how often it was sent and how often it came out.

A node can be killed at any step of its loop and at any SQL statement; the next life begins with the ledger file as it
was at that moment. What it had written to a wire may still arrive.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import apsw

from bodega.core.lifecycles import FulfillmentEvent, PrintState
from bodega_adapters.printers.wire_printer import Place, Waits
from bodega_adapters.printers.zpl import ZplPrinter
from bodega_adapters.simulated.faces import Plug
from bodega_adapters.simulated.zpl_memory import ZplMemory
from bodega_adapters.wires.wire import Wire
from bodega_agent.services.printing import PrintService
from bodega_agent.services.stations import Station
from bodega_agent.store import labels, work
from bodega_agent.store.floor import effects
from bodega_agent.store.transaction import Context, Transaction
from simulator.loop import SimLoop
from simulator.node import SimStore
from simulator.process import PROCESS, Fuse, Process
from support import asks as ask

T = TypeVar("T")

PERSON = Context("by-hand", actor="ana", device="scanner-1")
WAITS = Waits(connect_s=0.5, status_s=0.3, done_s=2.0)
WIRE_S = (0.0002, 0.01)
PIECES_BYTES = (40, 400)
_STAMP = re.compile(rb"\^FXjob (\S+)\^FS")
_SSCC = re.compile(rb"\^FD>;>800([0-9]{18})\^FS")


class WorldPrinter(ZplMemory):
    """A printer with power, a cable, and the connections that have it; it reads the first of them until it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.reachable = True
        self.wires: dict[WorldWire, None] = {}

    @property
    def came_out(self) -> Counter[str]:
        """How often each job did."""
        return Counter(stamp.group(1).decode() for one in self.labels if (stamp := _STAMP.search(one.zpl)))

    def lose_power(self) -> None:
        """See ZplMemory; connections are reset."""
        super().lose_power()
        self.cut()

    def power_on(self) -> None:
        """It remembers nothing."""
        self.is_on = True

    def mend(self, stop: str) -> None:
        """What stopped it is over."""
        self.set_stop(stop, value=False)

    def cut(self) -> None:
        """Every connection is reset, and what was on its way is lost."""
        for wire in tuple(self.wires):
            wire.reset()


class WorldWire:
    """A `Wire` from a life of a node to a printer: late, in pieces, and lost when something dies."""

    def __init__(self, world: PrintWorld, printer: WorldPrinter, life: Life) -> None:
        self._world, self._printer, self._life = world, printer, life
        self._plug = Plug(printer)
        self._arrived = b""
        self._news = asyncio.Event()
        self._lost = self._closed = self._ended = False
        self._free_s = 0.0
        self._unread: list[bytes] = []
        printer.wires[self] = None

    async def read(self, timeout_s: float | None) -> bytes:
        """See Wire."""
        if not self._arrived and not self._lost and not self._closed:
            self._news.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._news.wait()
            except TimeoutError:
                return b""
        data, self._arrived = self._arrived, b""
        if not data and self._lost:
            raise ConnectionResetError("the printer hung up")
        return data

    async def write(self, data: bytes) -> None:
        """See Wire; it is on its way when this returns, whatever becomes of the node."""
        if self._lost:
            raise ConnectionResetError("the printer hung up")
        if not self._life.process.alive:
            return
        data = self._world.stamped(self._life, data)
        while data:
            size = self._world.luck.randint(*PIECES_BYTES)
            piece, data = data[:size], data[size:]
            self._free_s = max(self._free_s, self._world.loop.time()) + self._world.luck.uniform(*WIRE_S)
            self._world.at(self._free_s, self._arrive, piece)

    def close(self) -> None:
        """See Wire. What was written still arrives."""
        if not self._closed:
            self._closed = True
            self._world.at(max(self._free_s, self._world.loop.time()), self._end)
        self._news.set()

    def reset(self) -> None:
        """The connection is gone, with all that was on its way."""
        self._lost = True
        self._unread.clear()
        self._leave()
        self._news.set()

    def _arrive(self, piece: bytes) -> None:
        if not self._lost:
            self._unread.append(piece)
            self._be_read()

    def _be_read(self) -> None:
        """The printer reads one connection at a time."""
        while self._unread and next(iter(self._printer.wires), None) is self:
            answer = self._plug.take(self._unread.pop(0), on_cut=self.reset)
            if answer and not self._closed:
                self._world.at(
                    self._world.loop.time() + self._world.luck.uniform(*WIRE_S), self._hear, answer
                )
            if self._ended and not self._unread:
                self._leave()

    def _end(self) -> None:
        """Nothing comes any more."""
        self._ended = True
        if not self._unread:
            self._leave()

    def _leave(self) -> None:
        self._printer.wires.pop(self, None)
        for following in tuple(self._printer.wires)[:1]:
            following._be_read()

    def _hear(self, answer: bytes) -> None:
        if not self._lost:
            self._arrived += answer
            self._news.set()


class Life:
    """One life of a node, from its ledger file to its death."""

    def __init__(self, world: PrintWorld, name: str, folder: Path) -> None:
        self.process = Process(name, world.loop)
        self.folder = folder
        self._world = world
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, self.process)
        self.store = self._inside(self._open)
        stations = [Station(world.driver(self, printer)) for printer in world.printers_of[name]]
        self.service = self._inside(lambda: PrintService(self.store, stations, _nobody))
        self._inside(lambda: world.loop.create_task(self.service.run()))

    def do(self, job: Callable[[Transaction], T]) -> T:
        """A transaction of a person at this node, now."""
        waiting = self._inside(lambda: asyncio.ensure_future(self.store.write(job), loop=self._world.loop))
        for _ in range(100):
            if waiting.done():
                return waiting.result()
            self._world.run(0.01)
        raise TimeoutError("the store does not answer")

    def look(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What stands in the ledger file."""
        connection = apsw.Connection(
            str(self.folder / "ledger.db"), flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        )
        try:
            return list(connection.execute(sql, values))
        finally:
            connection.close()

    def close(self) -> None:
        """Give its files back."""
        self._inside(self.store.close)

    def _open(self) -> SimStore:
        clock = itertools.count(1)
        return SimStore(
            self.folder / "ledger.db", node_id="lisbon-01", now_ms=lambda: next(clock), verify=lambda *_: True
        )

    def _inside(self, work: Callable[[], T]) -> T:
        with self._world.loop.running():
            return self._context.run(work)


async def _nobody(_order: str, _sscc: str, _state: PrintState) -> None:
    """The floor of these nodes is empty."""


class PrintWorld:
    """Nodes by name, each with its printers in their order; two nodes may share one."""

    def __init__(
        self, folder: Path, templates: dict[str, Path], seed: int, printers: dict[str, list[int]]
    ) -> None:
        """`templates`: ledgers with orders that wait to be packed; `printers`: which ones each node has."""
        self.luck = Random(seed)
        self.loop = SimLoop(Random(seed + 1))
        self._folder = folder
        self._outside = contextvars.copy_context()
        self._lives = itertools.count(1)
        self.printers = [WorldPrinter() for _ in range(1 + max(itertools.chain(*printers.values())))]
        self.printers_of = {name: [self.printers[n] for n in mine] for name, mine in printers.items()}
        self.sent: Counter[str] = Counter()
        self.nodes: dict[str, Life] = {}
        self.deaths = 0
        self._old: list[Life] = []
        for name in printers:
            self.nodes[name] = Life(self, name, self._copied(templates[name]))

    def driver(self, life: Life, printer: WorldPrinter) -> ZplPrinter:
        """The driver of the product; only its wire is not a socket."""

        async def open_wire() -> Wire:
            await asyncio.sleep(self.luck.uniform(*WIRE_S))
            if not printer.is_on or not printer.reachable:
                raise ConnectionRefusedError("nobody listens")
            return WorldWire(self, printer, life)

        place = Place("here", open_wire, hint="look")
        number = self.printers.index(printer)
        return ZplPrinter(f"printer-{number}", place, WAITS, dots_per_mm=8, width_mm=101)

    def run(self, seconds: float) -> None:
        """Time passes."""
        self.loop.run_until(self.loop.time() + seconds)
        assert not self.loop.failures, self.loop.failures

    def at(self, moment_s: float, work: Callable[..., object], *args: object) -> None:
        """Something happens in the world, outside of every node."""
        self.loop.call_at(moment_s, work, *args, context=self._outside)

    def now(self, work: Callable[..., object], *args: object) -> None:
        """Something happens in the world at once."""
        with self.loop.running():
            self._outside.run(work, *args)

    def kill(self, name: str, kind: str = "", points: int = 1) -> None:
        """A node dies at its n-th next "await" or "sql", or now."""
        life = self.nodes[name]
        life.process.on_death = lambda _power_cut: self._bury(name)
        if kind:
            life.process.fuse = Fuse(kind, points)
        else:
            life.process.die("killed")

    def _bury(self, name: str) -> None:
        """The ledger as it is now is what the next life begins with."""
        self.deaths += 1
        self._old.append(self.nodes[name])
        self.nodes[name].folder = self._copied(self.nodes[name].folder)

    def restart(self, name: str) -> None:
        """A new life, if the last one is over."""
        life = self.nodes[name]
        if not life.process.alive:
            self.run(0.01)
            self.nodes[name] = Life(self, name, life.folder)

    def _copied(self, folder: Path) -> Path:
        there = self._folder / f"life-{next(self._lives)}"
        there.mkdir()
        for file in folder.glob("ledger.db*"):
            if not file.name.endswith("-shm"):
                shutil.copyfile(file, there / file.name)
        return there

    def stamped(self, life: Life, data: bytes) -> bytes:
        """A job leaves a node: which, and was it said before that it is being sent?"""
        found = _SSCC.search(data)
        if found is None:
            return data
        jobs = life.look(
            "SELECT print_job_id FROM print_job WHERE sscc = ? AND state IN ('sent', 'confirmed')"
            " ORDER BY copy DESC LIMIT 1",
            found.group(1).decode(),
        )
        assert jobs, "the first byte leaves before the ledger says that the job is being sent"
        job = str(jobs[0][0])
        self.sent[job] += 1
        return data.replace(b"^XA", b"^XA^FXjob " + job.encode() + b"^FS", 1)

    def close(self) -> None:
        """The world ends."""
        for life in self.nodes.values():
            if life.process.alive:
                life.process.on_death = lambda _power_cut: None
                life.process.die("the world ends")
        self.run(1.0)
        for life in {id(one): one for one in (*self._old, *self.nodes.values())}.values():
            life.close()
        self.loop.close()

    # What people do, at a node that lives.

    def pack(self, name: str, number: int) -> None:
        """Close the parcel of an order, which queues its label."""
        order = f"FO-{number}"

        def close(tx: Transaction) -> None:
            if work.find(tx, order).state == "picked":
                effects.execute(tx, PERSON, ask.Pack(order, labels.peek_sscc(tx)))

        self.nodes[name].do(close)
        self.nodes[name].service.wake()

    def jobs(self, name: str) -> dict[str, tuple[str, str]]:
        """SSCC and state of every job."""
        rows = self.nodes[name].look("SELECT print_job_id, sscc, state FROM print_job")
        return {str(job): (str(sscc), str(state)) for job, sscc, state in rows}


def pick(tx: Transaction, order: str) -> None:
    """An order of one unit, ready to be packed."""
    from bodega.core.ledger import Goods  # only templates are made with it

    for effect in (ask.Claim(order), ask.Pick(order, 1, Goods("SKU-1", 1), "A-01-01")):
        effects.execute(tx, PERSON, effect)
    effects.execute(tx, PERSON, ask.Advance(order, FulfillmentEvent.PICKS_DONE))

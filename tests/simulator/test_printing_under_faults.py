"""The fault matrix of printing: 0 labels twice, 0 labels lost, and every doubt is `unknown`.

Real ledgers, print service and driver against simulated printers, in virtual time: cables are cut before, in and after
a job, answers are lost, paper ends, the power of printers goes at any byte, nodes die at any step of their loop and at
any SQL statement, two nodes share a printer, and one printer stands in for another.

What these printers do not do is lie: what they say is so. A printer that says "ready, nothing queued" and has printed
nothing can be caught by nothing but the scan of the label (tests/agent/services/test_scan_back_is_demanded.py).
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bodega.core.ledger import DOCK, Goods
from bodega.core.lifecycles import PrintEvent, PrintState
from bodega.v1 import catalogue_pb2
from bodega_adapters.ports import PrintReceipt
from bodega_adapters.printers.line import Line
from bodega_adapters.printers.zpl import ZplPrinter
from bodega_agent.services import printing
from bodega_agent.store import labels, ledger
from bodega_agent.store.transaction import Context, Transaction
from simulator.print_world import PERSON, PrintWorld, WorldPrinter, pick
from support.long_run import by_length
from support.node_under_test import BINS, HubPen, opened_store

ORDERS = 4
MOMENTS = st.sampled_from([0.001, 0.004, 0.02, 0.1, 0.5, 3.0])
STOPS = ("paper_out", "head_open", "paused", "ribbon_out", "too_hot")
NODES = {"one": 1, "two": 5_001}


async def _template(folder: Path, first_serial: int) -> None:
    """A node's ledger with orders that are picked and wait to be packed."""
    folder.mkdir()
    with opened_store(folder) as store:
        hub = HubPen(store)
        await hub.write(
            node_profile=catalogue_pb2.NodeProfile(
                node_id="lisbon-01",
                name="Lisbon",
                sscc_range=catalogue_pb2.SsccRange(
                    extension=3, company_prefix="9521234", first_serial=first_serial, last_serial=9_999
                ),
                bins=[catalogue_pb2.Bin(bin_id=b, walk_order=i) for i, b in enumerate(BINS, start=1)],
                version=1,
            )
        )
        sku_id = await hub.sku(1)
        for number in range(1, ORDERS + 1):
            await hub.fulfillment_order(number, (sku_id, 1))

        def stock(tx: Transaction) -> None:
            goods = [Goods(sku_id, ORDERS)]
            ledger.move(tx, PERSON, "receive", goods, target_bin=DOCK)
            ledger.move(tx, PERSON, "put_away", goods, source_bin=DOCK, target_bin="A-01-01")
            for number in range(1, ORDERS + 1):
                pick(tx, f"FO-{number}")

        await store.write(stock)


@pytest.fixture(scope="module", autouse=True)
def templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Ledgers that every world begins with a copy of."""
    folder = tmp_path_factory.mktemp("templates")
    for name, first_serial in NODES.items():
        asyncio.run(_template(folder / name, first_serial))
        TEMPLATES[name] = folder / name


TEMPLATES: dict[str, Path] = {}
ran: Counter[str] = Counter()


class Printing(RuleBasedStateMachine):
    """People, printers and faults, in any order."""

    printers: ClassVar[dict[str, list[int]]]

    @initialize(seed=st.integers(0, 2**32), death=st.integers(0, 150))
    def begin(self, seed: int, death: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.world = PrintWorld(self.folder, TEMPLATES, seed, self.printers)
        ran["schedules"] += 1
        for name in self.printers:
            self.world.pack(name, 1)
        if death:
            self.world.kill("one", "await" if death % 2 else "sql", death)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.all_is_mended_and_everything_ends()
        finally:
            self.world.close()
            shutil.rmtree(self.folder)

    names = st.sampled_from(sorted(NODES))
    numbers = st.integers(0, 1)

    def printer(self, number: int) -> WorldPrinter:
        return self.world.printers[number % len(self.world.printers)]

    def node(self, name: str) -> str:
        return name if name in self.printers else "one"

    def alive(self, name: str) -> bool:
        return self.world.nodes[self.node(name)].process.alive

    # What people do.

    @rule(name=names, order=st.integers(1, ORDERS), seconds=MOMENTS)
    def a_parcel_is_packed(self, name: str, order: int, seconds: float) -> None:
        if self.alive(name):
            self._person(name, lambda: self.world.pack(self.node(name), order))
        self.world.run(seconds)

    @rule(name=names, nth=st.integers(0, 5))
    def a_person_looks_and_decides(self, name: str, nth: int) -> None:
        """Seen, and so said; or not there, and printed again."""
        if not self.alive(name):
            return
        doubtful = [
            (job, sscc)
            for job, (sscc, state) in self.world.jobs(self.node(name)).items()
            if state == "unknown"
        ]
        if not doubtful:
            return
        job, sscc = doubtful[nth % len(doubtful)]
        life = self.world.nodes[self.node(name)]
        if self._came_out()[job]:
            self._person(name, lambda: life.do(lambda tx: labels.seen(tx, PERSON, sscc)))
        else:
            self._person(
                name, lambda: life.do(lambda tx: labels.reprint(tx, PERSON, sscc, "it is not there"))
            )
        life.service.wake()

    @rule(name=names, nth=st.integers(0, 5))
    def a_parcel_is_cancelled(self, name: str, nth: int) -> None:
        if not self.alive(name):
            return
        jobs = list(self.world.jobs(self.node(name)).values())
        if jobs:
            sscc = jobs[nth % len(jobs)][0]
            life = self.world.nodes[self.node(name)]
            self._person(name, lambda: life.do(lambda tx: labels.void_queued(tx, PERSON, sscc)))

    def _person(self, name: str, work: object) -> None:
        """A node may die under a person's hands; then nothing is known to have happened."""
        try:
            work()  # type: ignore[operator]  # a call without arguments
        except (TimeoutError, asyncio.CancelledError):
            assert not self.alive(name), "only a dead node gives no answer"

    @rule(seconds=MOMENTS)
    def time_passes(self, seconds: float) -> None:
        self.world.run(seconds)

    # What goes wrong.

    @rule(number=numbers, stop=st.sampled_from(STOPS), value=st.booleans())
    def a_printer_is_stopped_or_mended(self, number: int, stop: str, value: bool) -> None:
        self.world.now(setattr, self.printer(number), stop, value)

    @rule(number=numbers, left=st.integers(0, 2), reprints=st.booleans())
    def paper_will_run_out(self, number: int, left: int, reprints: bool) -> None:
        printer = self.printer(number)
        printer.labels_on_roll, printer.reprints_after_error = left, reprints

    @rule(number=numbers, after=st.integers(0, 900))
    def the_cable_will_be_cut(self, number: int, after: int) -> None:
        self.printer(number).drop_connection_after_bytes = after

    @rule(number=numbers)
    def the_cable_is_cut_now(self, number: int) -> None:
        self.world.now(self.printer(number).cut)

    @rule(number=numbers, after=st.integers(1, 900))
    def the_power_of_a_printer_will_go(self, number: int, after: int) -> None:
        self.printer(number).power_off_after_bytes = after

    @rule(number=numbers)
    def the_power_of_a_printer_goes_or_comes(self, number: int) -> None:
        printer = self.printer(number)
        self.world.now(printer.lose_power if printer.is_on else printer.power_on)

    @rule(number=numbers, value=st.booleans())
    def a_printer_is_out_of_reach_or_not(self, number: int, value: bool) -> None:
        self.printer(number).reachable = value

    @rule(number=numbers, lost=st.integers(0, 4), knows_flags=st.booleans())
    def answers_are_lost(self, number: int, lost: int, knows_flags: bool) -> None:
        printer = self.printer(number)
        printer.answers_lost, printer.knows_error_flags = lost, knows_flags

    @rule(number=numbers, seconds=st.sampled_from([0.0, 0.05, 0.5]))
    def a_printer_is_slow(self, number: int, seconds: float) -> None:
        self.printer(number).print_s = seconds

    @rule(name=names, kind=st.sampled_from(["await", "sql"]), points=st.integers(1, 60), seconds=MOMENTS)
    def a_node_will_die(self, name: str, kind: str, points: int, seconds: float) -> None:
        if self.alive(name):
            self.world.kill(self.node(name), kind, points)
            self.world.run(seconds)

    @rule(name=names)
    def a_node_starts_again(self, name: str) -> None:
        self.world.restart(self.node(name))

    # What must hold.

    def _came_out(self) -> Counter[str]:
        return sum((printer.came_out for printer in self.world.printers), Counter())

    @invariant()
    def no_job_is_sent_twice_or_comes_out_twice(self) -> None:
        if hasattr(self, "world"):
            assert all(times == 1 for times in self.world.sent.values()), self.world.sent
            assert all(times == 1 for times in self._came_out().values()), self._came_out()

    @invariant()
    def what_is_confirmed_came_out_and_what_is_not_sent_did_not(self) -> None:
        if not hasattr(self, "world"):
            return
        came_out = self._came_out()
        for name in self.printers:
            for job, (_, state) in self.world.jobs(name).items():
                if state == PrintState.CONFIRMED:
                    assert came_out[job] == 1, f"{job} is confirmed and lost"
                if state in (PrintState.QUEUED, PrintState.FAILED, PrintState.VOIDED):
                    assert not came_out[job], f"{job} is {state}, and on paper"
                    assert not self.world.sent[job], f"{job} is {state}, and was sent"

    def all_is_mended_and_everything_ends(self) -> None:
        for printer in self.world.printers:
            printer.labels_on_roll = printer.drop_connection_after_bytes = printer.power_off_after_bytes = (
                None
            )
            printer.answers_lost, printer.print_s, printer.reachable = 0, 0.0, True
            if not printer.is_on:
                printer.power_on()
            for stop in STOPS:
                self.world.now(printer.mend, stop)
        for life in self.world.nodes.values():
            life.process.fuse = None
        self.world.run(1.0)
        for name in self.printers:
            self.world.restart(name)
        self.world.run(120.0)
        ran["deaths"] += self.world.deaths
        ran["jobs sent"] += len(self.world.sent)
        for name in self.printers:
            states = Counter(state for _, state in self.world.jobs(name).values())
            assert not states[PrintState.QUEUED], "a job waits for ever"
            assert not states[PrintState.SENT], "a job is for ever on its way"
            ran.update({f"jobs {state}": many for state, many in states.items()})
        self.no_job_is_sent_twice_or_comes_out_twice()
        self.what_is_confirmed_came_out_and_what_is_not_sent_did_not()


class OneNodeOnePrinter(Printing):
    """The usual node."""

    printers: ClassVar = {"one": [0]}


class OneNodeTwoPrinters(Printing):
    """The second stands in for the first."""

    printers: ClassVar = {"one": [0, 1]}


class TwoNodesOnePrinter(Printing):
    """Each prints when it likes."""

    printers: ClassVar = {"one": [0], "two": [0]}


LENGTH = settings(
    max_examples=by_length(80, 2_000),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestOneNodeOnePrinter = OneNodeOnePrinter.TestCase
TestOneNodeTwoPrinters = OneNodeTwoPrinters.TestCase
TestTwoNodesOnePrinter = TwoNodesOnePrinter.TestCase
TestOneNodeOnePrinter.settings = TestOneNodeTwoPrinters.settings = TestTwoNodesOnePrinter.settings = LENGTH


class Mutant(NamedTuple):
    """A bug that this field knows, put into the product."""

    where: object
    name: str
    bug: object


def _print_again_after_a_restart(tx: Transaction, context: Context) -> list[labels.PrintJob]:
    for (job_id,) in list(tx.execute("SELECT print_job_id FROM print_job WHERE state = 'sent'")):
        job = labels.job_of(tx, job_id)
        assert job is not None
        labels.advance(tx, context, job, PrintEvent.REFUSED_BEFORE_FIRST_BYTE)
    return []


async def _believe_that_sent_is_printed(_driver: ZplPrinter, _line: Line) -> PrintReceipt:
    return PrintReceipt("confirmed", "sent")


async def _believe_any_status(driver: ZplPrinter, line: Line) -> PrintReceipt:
    await driver._ask(line)
    return PrintReceipt("confirmed", "it answers")


MUTANTS = {
    "the queue is sent again after a restart": Mutant(
        labels, "lose_track_of_sent", _print_again_after_a_restart
    ),
    "a doubt is tried again": Mutant(
        printing, "_EVENT_OF", {**printing._EVENT_OF, "unknown": PrintEvent.REFUSED_BEFORE_FIRST_BYTE}
    ),
    "bytes leave before it is written that they do": Mutant(printing, "_send", lambda *_: True),
    "what was sent counts as printed": Mutant(ZplPrinter, "_settle", _believe_that_sent_is_printed),
    "a printer that answers counts as done": Mutant(ZplPrinter, "_settle", _believe_any_status),
}


@pytest.mark.parametrize("bug", MUTANTS)
def test_the_matrix_finds_the_bugs_of_this_field(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    mutant = MUTANTS[bug]
    monkeypatch.setattr(mutant.where, mutant.name, mutant.bug)
    unshrunk = settings(
        LENGTH, max_examples=400, phases=[Phase.generate], database=None, report_multiple_bugs=False
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(OneNodeTwoPrinters, settings=unshrunk)


@pytest.fixture(scope="module", autouse=True)
def told(record_testsuite_property: Callable[[str, object], None]) -> Iterator[None]:
    """How much ran stands in the report (--junit-xml), and on the terminal with -s."""
    yield
    record_testsuite_property("printing_under_faults", dict(ran))
    sys.stderr.write(f"{dict(ran)}\n")

"""The floor: every scan of every device goes through here, one store transaction each.

Decode, classify, ask the pure rules, do what they ask for, keep the session, and only when that is on
the disk show the next prompt. What must wait (camera, printer) is started after the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from uuid import uuid4

from bodega.core.conflicts.duplicate_scan import ScanNumber, is_repeat
from bodega.core.expiry import day_of
from bodega.core.lifecycles import PrintState
from bodega.core.pins import is_right
from bodega.errors import BodegaError
from bodega.host.log import bound, get_logger
from bodega_adapters.framing import gs1
from bodega_adapters.ports import Scan
from bodega_agent.rules.floor import engine as rules
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.facts import Facts, VisionMode
from bodega_agent.rules.floor.pack.effects import Pack, Reprint, Weigh
from bodega_agent.rules.floor.people.effects import SignOut
from bodega_agent.rules.floor.pick.effects import Inspect
from bodega_agent.rules.floor.prompt import Prompt, Tone
from bodega_agent.rules.floor.receive.effects import StartUnit
from bodega_agent.rules.floor.resume.effects import TakeOver
from bodega_agent.rules.floor.returns.effects import LookAtReturn
from bodega_agent.rules.floor.scans import CONTROL_WORDS, PrintChanged, Scanned, WorkCancelled
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.services import floor_log
from bodega_agent.services.prompts import PromptBoard, Shown
from bodega_agent.store import scan_counters, work
from bodega_agent.store.floor import effects, pins, reading, sessions
from bodega_agent.store.floor.classify import classify
from bodega_agent.store.floor.look import Equipment, Look
from bodega_agent.store.floor.pins import Proof
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class InspectAsked:
    """The camera shall look at a line that this device has picked, or has taken back with a return."""

    device: str
    fulfillment_order_id: str
    line: int
    sku_id: str
    return_id: str = ""


@dataclass(frozen=True, slots=True)
class WeighAsked:
    """The scale shall weigh the parcel that this device packs."""

    device: str
    fulfillment_order_id: str


class FloorService:
    """One per node. `present` names the devices that are there; `vision` says what a verdict counts."""

    def __init__(
        self,
        store: Store,
        board: PromptBoard,
        *,
        present: Callable[[], Collection[str]],
        vision: Callable[[], VisionMode],
    ) -> None:
        self._store = store
        self._board = board
        self._present = present
        self._vision = vision
        self._order: dict[str, asyncio.Lock] = {}
        # For devices without a counter of their own: theirs begins anew with every start.
        self._counter_name = f"start-{uuid4().hex}"
        self.on_inspect: Callable[[InspectAsked], None] = lambda _asked: None
        self.on_print: Callable[[], None] = lambda: None
        self.on_weigh: Callable[[WeighAsked], None] = lambda _asked: None
        self.equipment: Callable[[], Equipment] = Equipment

    async def handle(self, scan: Scan, *, cmd_id: str = "") -> Shown:
        """Answer one scan. A scan that the rules or the store refuse changes nothing, and says so."""
        code = gs1.decode(scan.text, scan.symbology, year=int(day_of(scan.at_ms)[:4]))
        command = cmd_id or str(uuid4())

        def classified(tx: Transaction) -> Scanned:
            return classify(tx, code, scan.text, sessions.load(tx, scan.device))

        number = ScanNumber(scan.counter_name or self._counter_name, scan.device_counter)
        proof = await self._proof_in(scan)
        with bound(device=scan.device, cmd_id=command):
            return await self._step(scan.device, command, classified, number=number, proof=proof)

    async def _proof_in(self, scan: Scan) -> Proof | None:
        """Whether this is the PIN that its device waits for, if it does; slow on purpose, so before the transaction."""
        shown = self._board.current(scan.device)
        if shown is not None and shown["step"] != FloorStep.SIGN_IN_PIN:
            return None
        asked = await self._store.read(lambda reader: pins.asked_of(reader, scan.device))
        if asked is None or scan.text in CONTROL_WORDS:
            return None
        right = await asyncio.to_thread(is_right, scan.text.strip(), asked.salt, asked.expected)
        return Proof(asked.associate_id, right)

    async def tell(
        self, device: str, news: Scanned, *, first: Callable[[Transaction], None] | None = None
    ) -> None:
        """News from camera, printer or hub for a device; `first` is recorded in the same transaction."""

        def classified(tx: Transaction) -> Scanned:
            if first is not None:
                first(tx)
            return news

        await self._step(device, str(uuid4()), classified)

    async def label_changed(self, fulfillment_order_id: str, sscc: str, state: PrintState) -> None:
        """Tell the device that packed this parcel what became of its label."""
        await self._tell_worker(fulfillment_order_id, PrintChanged(sscc, state))

    async def work_cancelled(self, fulfillment_order_id: str) -> None:
        """Tell the device that works on this order that a cancel has arrived."""
        await self._tell_worker(fulfillment_order_id, WorkCancelled(fulfillment_order_id))

    async def _tell_worker(self, fulfillment_order_id: str, news: Scanned) -> None:
        device = await self._store.write(lambda tx: work.device_of(tx, fulfillment_order_id))
        if device:
            await self.tell(device, news)

    async def greet(self, device: str) -> Shown:
        """Show where the device's session stands, after a start."""
        return await self._board.show(
            device, await self._present_prompt(device, rules.greeting), scanned=False
        )

    def _facts(
        self, tx: Transaction, session: Session, scan: Scanned | None, proof: Proof | None = None
    ) -> Facts:
        return reading.facts_for(
            Look(tx, session, scan, self._vision(), self._present(), proof, self.equipment())
        )

    async def _present_prompt(
        self, device: str, say: Callable[[Session, Facts], rules.Outcome] = rules.present
    ) -> Prompt:
        def look(tx: Transaction) -> Prompt:
            return self._at_present(tx, device, say).prompt

        return await self._store.write(look)

    def _at_present(
        self, tx: Transaction, device: str, say: Callable[[Session, Facts], rules.Outcome] = rules.present
    ) -> rules.Outcome:
        session = sessions.load(tx, device)
        outcome = say(session, self._facts(tx, session, None))
        if outcome.session != session:
            sessions.save(tx, outcome.session)
        return outcome

    async def _refusal(self, device: str, error: BodegaError) -> Prompt:
        """The store did not take it: the same step as before, and why."""
        before = await self._present_prompt(device)
        return replace(before, tone=Tone.ERROR, text=error.message, detail=(error.hint, *before.detail))

    async def _step(
        self,
        device: str,
        cmd_id: str,
        classified: Callable[[Transaction], Scanned],
        *,
        number: ScanNumber | None = None,
        proof: Proof | None = None,
    ) -> Shown:
        """One scan, which has a number, or one piece of news."""
        scanned = number is not None

        def job(tx: Transaction) -> tuple[rules.Outcome, str]:
            last = scan_counters.last_of(tx, device) if number else None
            if number and last and is_repeat(number, last.number):
                return self._repeated(tx, device, number, last), ""
            outcome, order_id = self._in_transaction(tx, device, cmd_id, classified, proof)
            if number:
                scan_counters.keep(tx, device, number, outcome.prompt)
            return outcome, order_id

        async with self._order.setdefault(device, asyncio.Lock()):
            try:
                outcome, order_id = await self._store.write(job)
            except BodegaError as error:
                log.warning("scan_refused", code=error.code, reason=error.message)
                return await self._board.show(device, await self._refusal(device, error), scanned=scanned)
            shown = await self._board.show(device, outcome.prompt, scanned=scanned)
        floor_log.say(outcome.effects, device=device, order_id=order_id)
        self._after_commit(device, outcome.effects)
        await self._tell_others(device, outcome.effects)
        return shown

    def _repeated(
        self, tx: Transaction, device: str, number: ScanNumber, last: scan_counters.Answered
    ) -> rules.Outcome:
        """A scan that was taken already does nothing; the last one gets its answer again."""
        scan_counters.note_repeat(tx, device)
        log.info("scan_repeated", number=number.number, counter=number.counter)
        outcome = self._at_present(tx, device)
        prompt = outcome.prompt
        if number == last.number:
            return replace(outcome, prompt=replace(prompt, tone=Tone(last.tone), text=last.text))
        return replace(outcome, prompt=replace(prompt, text=f"That scan was taken already. {prompt.text}"))

    def _in_transaction(
        self,
        tx: Transaction,
        device: str,
        cmd_id: str,
        classified: Callable[[Transaction], Scanned],
        proof: Proof | None,
    ) -> tuple[rules.Outcome, str]:
        """The outcome, done and saved, and the customer's order that it is about."""
        scan = classified(tx)
        session = sessions.load(tx, device)
        if proof is not None:
            pins.count(tx, Context(cmd_id, actor=session.actor, device=device), proof)
        facts = self._facts(tx, session, scan, proof)
        outcome = rules.step(session, scan, facts)
        order_id = _order_of(tx, session, outcome)
        context = Context(cmd_id, actor=session.actor, device=device, correlation_id=order_id)
        for effect in outcome.effects:
            effects.execute(tx, context, effect)
        if then := outcome.then:
            # Other facts are read for it, and these must see it as the session of this device.
            sessions.save(tx, then.session)
            went_on = rules.go_on(then, self._facts(tx, then.session, None))
            outcome, session = replace(went_on, effects=outcome.effects), then.session
        if outcome.session != session:
            sessions.save(tx, outcome.session)
        return outcome, order_id

    async def _tell_others(self, device: str, done: tuple[Effect, ...]) -> None:
        """A device from which the person or the work has gone shows it at once."""
        for effect in done:
            match effect:
                case SignOut(at_device=other) | TakeOver(from_device=other) if other != device:
                    await self.greet(other)

    def _after_commit(self, device: str, done: tuple[Effect, ...]) -> None:
        for effect in done:
            match effect:
                case Inspect(fulfillment_order_id, line, sku_id):
                    self.on_inspect(InspectAsked(device, fulfillment_order_id, line, sku_id))
                case LookAtReturn(return_id, line, sku_id, fulfillment_order_id):
                    self.on_inspect(InspectAsked(device, fulfillment_order_id, line, sku_id, return_id))
                case Pack() | Reprint() | StartUnit():
                    self.on_print()
                case Weigh(fulfillment_order_id):
                    self.on_weigh(WeighAsked(device, fulfillment_order_id))


def _order_of(tx: Transaction, before: Session, outcome: rules.Outcome) -> str:
    named = floor_log.order_named_by(outcome.effects)
    fulfillment_order_id = named or outcome.session.fulfillment_order_id or before.fulfillment_order_id
    return work.find(tx, fulfillment_order_id).order_id if fulfillment_order_id else ""

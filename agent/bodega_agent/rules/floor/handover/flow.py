"""Handing over as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.handover import steps
from bodega_agent.rules.floor.handover.facts import HandoverFacts
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Lost, Move, Shown, remind, without_scan

S = FloorStep


def _settle(session: Session, facts: HandoverFacts) -> Session | Lost:
    if session.step is S.MANIFEST_CLOSE and steps.manifest_in(session, facts) is None:
        return Lost("That manifest is closed already.")
    return session


def _parcel(session: Session, facts: HandoverFacts) -> Shown:
    here = steps.carrier_of(session)
    if not here:
        return Shown(Tone.OK, "Scan the label of a parcel, or CMD-DONE.", (), Expect(ExpectKind.SSCC))
    if not facts.waiting:
        text = f"Nothing of {here} is left. CMD-MANIFEST when the driver signs, or CMD-DONE."
        return Shown(Tone.OK, text, (), Expect(ExpectKind.CONTROL, (Kind.MANIFEST.value, Kind.DONE.value)))
    text = f"Scan the next parcel of {here}, {facts.waiting} left, or CMD-MANIFEST."
    return Shown(Tone.OK, text, facts.first_waiting, Expect(ExpectKind.SSCC, facts.first_waiting))


def _which(_session: Session, facts: HandoverFacts) -> Shown:
    rows = tuple(
        f"{number}: {one.carrier} of {one.ship_date}, {one.parcels} on it"
        for number, one in enumerate(facts.manifests, start=1)
    )
    if not rows:
        return Shown(Tone.OK, "No manifest is open. CMD-DONE.", (), Expect(ExpectKind.CONTROL, ("CMD-DONE",)))
    numbers = tuple(str(number) for number in range(1, len(rows) + 1))
    return Shown(Tone.ASK, "Which manifest? Type its number.", rows, Expect(ExpectKind.NUMBER, numbers))


def _close(session: Session, facts: HandoverFacts) -> Shown:
    chosen = steps.manifest_in(session, facts)
    assert chosen is not None, "a lost manifest is shown as idle"
    text = f"{chosen.carrier} of {chosen.ship_date}: {chosen.parcels} on manifest {chosen.manifest_id}."
    left = f" {chosen.left} still here." if chosen.left else ""
    expect = Expect(ExpectKind.CONTROL, (Kind.ACCEPT.value,))
    return Shown(Tone.ASK, f"{text}{left} CMD-ACCEPT when the driver has signed.", chosen.first_left, expect)


_MANIFEST = Move(without_scan(steps.manifest), (S.MANIFEST, S.MANIFEST_CLOSE))

HANDOVER = Flow(
    "handover",
    {
        (S.IDLE, Kind.HANDOVER): Move(without_scan(steps.start), (S.HANDOVER,)),
        (S.IDLE, Kind.MANIFEST): Move(_MANIFEST.handler, (*_MANIFEST.to, S.IDLE)),
        (S.HANDOVER, Kind.SSCC): Move(steps.parcel, (S.HANDOVER,)),
        (S.HANDOVER, Kind.TRACKING): Move(steps.parcel, (S.HANDOVER,)),
        (S.HANDOVER, Kind.MANIFEST): Move(_MANIFEST.handler, (*_MANIFEST.to, S.HANDOVER)),
        (S.HANDOVER, Kind.HANDOVER): remind(S.HANDOVER),
        (S.HANDOVER, Kind.DONE): LEAVE,
        (S.MANIFEST, Kind.NUMBER): Move(steps.which, (S.MANIFEST, S.MANIFEST_CLOSE)),
        (S.MANIFEST, Kind.MANIFEST): remind(S.MANIFEST),
        (S.MANIFEST, Kind.DONE): LEAVE,
        (S.MANIFEST_CLOSE, Kind.ACCEPT): Move(without_scan(steps.close), (S.IDLE,)),
        (S.MANIFEST_CLOSE, Kind.MANIFEST): remind(S.MANIFEST_CLOSE),
        (S.MANIFEST_CLOSE, Kind.DONE): LEAVE,
    },
    {S.HANDOVER: _parcel, S.MANIFEST: _which, S.MANIFEST_CLOSE: _close},
    _settle,
)

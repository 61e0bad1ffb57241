"""A tape played through its driver, without the device: what the driver makes of it, one row a thing.

What was asked of the device when the tape was recorded is read off it: a part with a label in it was a print job, one
without a question for the status; a scale's questions are on it letter by letter.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bodega.errors import BodegaError, InvalidInput
from bodega.limits import REPLAY_LASTS_S, SCAN_GAP_MS_MAX
from bodega_adapters.framing.printer_status import HOST_STATUS_REQUEST
from bodega_adapters.options import options_of
from bodega_adapters.ports import LabelPrinter, Scale, Scanner, Weight
from bodega_adapters.presence import presence_of
from bodega_adapters.registry import factory_of, open_device, records
from bodega_adapters.wires.tape import Note, Player

Json = dict[str, Any]

_LABEL = re.compile(rb"\^XA.*\^XZ\s*|\x1b@.*|%PDF-.*", re.DOTALL)
_SETTLE_S = 2 * SCAN_GAP_MS_MAX / 1000


async def replay(kind: str, driver: str, options: Mapping[str, object], notes: Sequence[Note]) -> list[Json]:
    """What this driver makes of a tape: scans, receipts and states, or weights.

    Options that the driver needs and that are not given are made up: nothing real is opened. Raises InvalidInput for
    a driver whose wire can not be recorded, or a kind without a wire.
    """
    if kind == "camera" or not records(kind, driver):
        raise InvalidInput(
            f"{kind} driver {driver!r} has no wire that can be played",
            hint="bodega devices drivers says which drivers record",
        )
    player = Player(notes)
    device = open_device(kind, driver, "tape", _made_up(kind, driver, options), recorder=player)
    try:
        async with asyncio.timeout(REPLAY_LASTS_S):
            if kind == "scanner":
                return await _scans(device, player)  # type: ignore[arg-type]  # the registry opened this kind
            if kind == "printer":
                return await _receipts(device, player)  # type: ignore[arg-type]  # the registry opened this kind
            return await _weights(device, player)  # type: ignore[arg-type]  # the registry opened this kind
    except TimeoutError as error:
        raise InvalidInput(
            f"the tape was not played to its end within {REPLAY_LASTS_S:g} s", hint="is it of another driver?"
        ) from error
    finally:
        closed = device.close()
        if closed is not None:
            await closed


async def _scans(scanner: Scanner, player: Player) -> list[Json]:
    found: list[Json] = []

    async def listen() -> None:
        async for scan in scanner.scans():
            found.append(  # noqa: PERF401  what was found before a fault counts too
                {"scan": scan.text, "symbology": scan.symbology, "hex": scan.raw.hex()}
            )

    listening = asyncio.create_task(listen())
    presence = presence_of(scanner)
    while not player.ended and not listening.done():
        await asyncio.sleep(0.005)
        if presence is not None and not presence.connected:
            # Nobody has to wait for a replug that is on the tape already.
            presence.plugged()
    # Where silence ends a scan, the last one needs its silence.
    await asyncio.sleep(_SETTLE_S)
    await scanner.close()
    await listening
    return found


async def _receipts(printer: LabelPrinter, player: Player) -> list[Json]:
    found: list[Json] = []
    for part in player.parts:
        sent = b"".join(note.data for note in part if note.way == "out")
        label = _LABEL.search(sent)
        try:
            if label is None and sent != HOST_STATUS_REQUEST:
                found.append({"status": asdict(await printer.status())})
            else:
                # Where the status alone was asked for a job, the job was not sent, whatever it was.
                job = label[0].replace(HOST_STATUS_REQUEST, b"") if label else b"^XA^XZ"
                found.append({"receipt": asdict(await printer.print_label(job))})
        except BodegaError as error:
            found.append({"error": error.message})
    return found


async def _weights(scale: Scale, player: Player) -> list[Json]:
    asked = [
        word.decode("ascii", "replace")
        for part in player.parts
        for note in part
        if note.way == "out"
        for word in note.data.split()
    ]
    calls: dict[str, Callable[[], Awaitable[Weight | None]]] = {
        "S": scale.weigh,
        "SI": lambda: scale.weigh(stable=False),
        "Z": scale.zero,
        "T": scale.tare,
    }
    found: list[Json] = []
    for command in asked:
        if command not in calls:
            continue
        try:
            weight = await calls[command]()
        except BodegaError as error:
            found.append({"asked": command, "error": error.message})
            continue
        row = (
            {"milligrams": weight.milligrams, "stable": weight.stable}
            if weight is not None
            else {"done": True}
        )
        found.append({"asked": command, **row})
    return found


_SOMETHING: dict[type, object] = {str: "tape", int: 1, float: 1.0, bool: False}


def _made_up(kind: str, driver: str, options: Mapping[str, object]) -> dict[str, object]:
    known = options_of(factory_of(kind, driver))
    needed = {each.name: _SOMETHING[each.type] for each in known.values() if each.needed}
    found = {**needed, **options}
    port = known.get("port")
    # A driver that takes one of several places needs none of them alone.
    if port is not None and port.type is str and not {"port", "host"} & found.keys():
        found["port"] = "tape"
    return found

"""The hand-held of one associate: a scanner on a pseudo-terminal, and the screen that the agent fills.

The screen is the agent's control socket (`watch`). The beep is its `scan_no`: it rises once for every scan
that was handled, after its effects are durable. A scan without a beep is in doubt, and only looking at the
screen of the restarted agent settles it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.errors import Unavailable
from bodega.limits import CONTROL_REQUEST_BYTES_MAX
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_agent.demo.plan import Barcode

BEEP_S = 10.0
RECONNECT_POLL_S = 0.02

Json = dict[str, Any]


class AgentGone(Exception):
    """The agent died or was stopped: the screen is dark, and the last scan may or may not have counted."""


@dataclass(frozen=True, slots=True)
class Screen:
    """One prompt. `quantity` and the ids are 0 and "" where they do not apply.

    `refused`: whether the last scan moved nothing; `answer` is what was said to it.
    """

    scan_no: int
    refused: bool
    answer: str
    flow: str
    step: str
    text: str
    kind: str
    values: tuple[str, ...]
    sku_id: str
    quantity: int
    fulfillment_order_id: str
    sscc: str


def screen_of(prompt: Json) -> Screen:
    """Read a Prompt of the control socket."""
    expect: Json = prompt.get("expect") or {}
    answer: Json = prompt.get("answer") or {}
    return Screen(
        scan_no=prompt["scan_no"],
        refused=answer.get("tone") == "error",
        answer=answer.get("text", ""),
        flow=prompt["flow"],
        step=prompt["step"],
        text=prompt["text"],
        kind=expect.get("kind", ""),
        values=tuple(expect.get("values", ())),
        sku_id=expect.get("sku_id", ""),
        quantity=expect.get("quantity", 0),
        fulfillment_order_id=expect.get("fulfillment_order_id", ""),
        sscc=expect.get("sscc", ""),
    )


async def ask(socket_path: Path, op: str, **arguments: Any) -> Any:
    """One question to an agent's control socket; AgentGone if nobody answers, Unavailable if it refuses."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket_path, limit=CONTROL_REQUEST_BYTES_MAX)
    except OSError as error:
        raise AgentGone(str(error)) from error
    try:
        writer.write(json.dumps({"op": op, **arguments}).encode() + b"\n")
        return _result(await reader.readline())
    except OSError as error:
        raise AgentGone(str(error)) from error
    finally:
        writer.close()


def _result(line: bytes) -> Any:
    if not line:
        raise AgentGone("the agent hung up")
    answer = json.loads(line)
    if not answer["ok"]:
        raise Unavailable(f"the agent refuses: {answer['error']['message']}")
    return answer["result"]


class Handheld:
    """`device` is the scanner's name in the agent's configuration. `connect` first, and after AgentGone.

    `hands_s`: what a person's hands need between a beep and the next scan; 0 for a robot's. `took_s`: seconds from each
    trigger to its beep.
    """

    def __init__(
        self, device: str, scanner: SimulatedScanner, socket_path: Path, *, hands_s: float = 0.0
    ) -> None:
        self.device = device
        self.socket_path = socket_path
        self.took_s: list[float] = []
        self._hands_s = hands_s
        self._triggered_s = 0.0
        self._scanner = scanner
        self._screen: Screen | None = None
        self._updates = 0
        self._updates_at_beep = 0
        self._changed = asyncio.Condition()
        self._reading: asyncio.Task[None] | None = None

    @property
    def beeps(self) -> int:
        """Scans that were answered."""
        return len(self.took_s)

    @property
    def screen(self) -> Screen:
        """What it shows now; AgentGone if it is dark."""
        if self._screen is None:
            raise AgentGone("the screen is dark")
        return self._screen

    @property
    def last_text(self) -> str:
        """What it shows, for people; says so if it is dark."""
        return self._screen.text if self._screen is not None else "(dark)"

    async def connect(self) -> Screen:
        """Wait until the agent shows a prompt for this device and has opened the scanner's port."""
        await self.close()
        while True:
            try:
                await self._until_port_is_open()
                reader, writer = await asyncio.open_unix_connection(
                    self.socket_path, limit=CONTROL_REQUEST_BYTES_MAX
                )
            except (OSError, AgentGone):
                await asyncio.sleep(RECONNECT_POLL_S)
                continue
            writer.write(json.dumps({"op": "watch", "device": self.device}).encode() + b"\n")
            self._screen, self._updates, self._updates_at_beep = None, 0, 0
            self._reading = asyncio.create_task(self._read(reader, writer))
            try:
                return await self._wait(lambda: self._screen is not None)
            except AgentGone:
                await asyncio.sleep(RECONNECT_POLL_S)

    async def _until_port_is_open(self) -> None:
        # What is scanned while nobody has the port open is lost, as with a real serial scanner.
        while True:
            status = await ask(self.socket_path, "status")
            if any(d["name"] == self.device and d["state"] == "ok" for d in status["devices"]):
                return
            await asyncio.sleep(RECONNECT_POLL_S)

    async def close(self) -> None:
        """Stop watching; safe to call twice."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await self._show(screen_of(_result(line)))
        except OSError:
            return  # a killed agent may reset the connection instead of closing it: both mean dark
        finally:
            writer.close()
            await self._show(None)

    async def _show(self, screen: Screen | None) -> None:
        async with self._changed:
            self._updates += 1
            if screen is not None and self._screen is not None and screen.scan_no > self._screen.scan_no:
                self._updates_at_beep = self._updates
                self.took_s.append(time.perf_counter() - self._triggered_s)
            self._screen = screen
            self._changed.notify_all()

    async def _wait(self, is_so: Callable[[], bool]) -> Screen:
        async with self._changed:
            async with asyncio.timeout(BEEP_S):
                await self._changed.wait_for(lambda: self._is_dark() or is_so())
        return self.screen

    def _is_dark(self) -> bool:
        return self._reading is None or self._reading.done() or (self._updates > 0 and self._screen is None)

    def point(self, barcode: Barcode) -> None:
        """Pull the trigger; does not wait for the beep."""
        self._triggered_s = time.perf_counter()
        self._scanner.scan(barcode.text, barcode.symbology)

    async def scan(self, barcode: Barcode) -> Screen:
        """Pull the trigger and wait for the beep; returns the screen that answers. AgentGone leaves doubt."""
        before = self.screen.scan_no
        self.point(barcode)
        return await self.beep(before)

    async def beep(self, before: int) -> Screen:
        """Wait until `scan_no` is above `before`; Unavailable if the agent lives and stays silent."""
        try:
            screen = await self._wait(lambda: self.screen.scan_no > before)
        except TimeoutError as error:
            raise Unavailable(
                f"{self.device} did not beep within {BEEP_S:.0f} s; it shows: {self.screen.text}",
                hint="read the agent's log",
            ) from error
        if self._hands_s:
            await asyncio.sleep(self._hands_s)
        return screen

    async def news_since_beep(self, seconds: float) -> Screen:
        """The first change after the last beep, such as the camera's word; waits for it at most so long."""
        return await self._news_after(self._updates_at_beep, seconds)

    async def news(self, seconds: float) -> Screen:
        """Wait until the screen changes without a scan, or for so long; returns what it shows then."""
        return await self._news_after(self._updates, seconds)

    async def _news_after(self, updates: int, seconds: float) -> Screen:
        try:
            async with asyncio.timeout(seconds):
                return await self._wait(lambda: self._updates > updates)
        except TimeoutError:
            return self.screen

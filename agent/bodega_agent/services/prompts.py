"""What each hand-held shows now, and who is watching it.

A prompt's `scan_no` rises by one for every scan of its device that was handled, also refused ones, after
its effects are durable: it is the beep. Watchers that are slow miss old prompts, never the newest; so every
prompt carries `answer`, the tone and text that answered the last scan: news (a verdict, a cancel) that comes
right behind a refusal must not make it look like a good beep.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

from bodega.limits_floor import FLOOR_QUIET_S
from bodega_agent.rules.floor.prompt import Prompt

Shown = dict[str, Any]


class PromptBoard:
    """The present prompt of each device."""

    def __init__(self, boot_nonce: str) -> None:
        self._boot_nonce = boot_nonce
        self._shown: dict[str, Shown] = {}
        self._scans: dict[str, int] = {}
        self._scanned_at_s: dict[str, float] = {}
        self._answers: dict[str, Shown] = {}
        self._changed = asyncio.Condition()
        self._version = 0
        self._versions: dict[str, int] = {}

    async def show(self, device: str, prompt: Prompt, *, scanned: bool) -> Shown:
        """Replace a device's prompt; `scanned` counts it as the answer to a scan."""
        self._scans[device] = self._scans.get(device, 0) + scanned
        if scanned:
            self._scanned_at_s[device] = time.monotonic()
            self._answers[device] = {"tone": prompt.tone.value, "text": prompt.text}
        shown = {
            **prompt.to_json(),
            "device": device,
            "scan_no": self._scans[device],
            "boot_nonce": self._boot_nonce,
            "answer": self._answers.get(device),
        }
        async with self._changed:
            self._version += 1
            self._shown[device] = shown
            self._versions[device] = self._version
            self._changed.notify_all()
        return shown

    def current(self, device: str) -> Shown | None:
        """What the device shows now."""
        return self._shown.get(device)

    def active(self) -> set[str]:
        """Devices that have scanned lately: what is known of a terminal, which nobody plugs in or out."""
        since_s = time.monotonic() - FLOOR_QUIET_S
        return {device for device, at_s in self._scanned_at_s.items() if at_s >= since_s}

    async def watch(self, device: str | None) -> AsyncGenerator[Shown, None]:
        """The present prompt of one device (or of all), then every change."""
        seen = 0
        while True:
            async with self._changed:
                while not (fresh := self._newer_than(seen, device)):
                    await self._changed.wait()
            for version, shown in fresh:
                seen = version
                yield shown

    def _newer_than(self, seen: int, device: str | None) -> list[tuple[int, Shown]]:
        return sorted(
            (
                (version, self._shown[name])
                for name, version in self._versions.items()
                if version > seen and device in (None, name)
            ),
            key=lambda pair: pair[0],
        )

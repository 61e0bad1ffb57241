"""A camera as a scanner: the vision process sees codes, this driver makes each appearance one scan.

The driver has no wire of its own: the agent tells it what each look of the camera saw, and when there was none. A code
is a scan when it comes into view, and again only after it was out of sight for a while; looks that could not be made do
not count as out of sight, so what lay there before a camera was lost is no new scan when it is back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable

from bodega.errors import InvalidInput
from bodega.limits import CAMERA_SCAN_GONE_S, CAMERA_SCANS_WAITING_MAX
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.ports import Recognition, Scan, ScannerAbilities
from bodega_adapters.presence import Presence
from bodega_adapters.scanning import make_scan


class InView:
    """Which codes are in view of one camera. PURE: times come in."""

    def __init__(self, gone_s: float) -> None:
        self._gone_s = gone_s
        # When it was first missed since it was last seen; None while it is seen.
        self._missed_s: dict[bytes, float | None] = {}

    def appeared(self, codes: Iterable[bytes], now_s: float) -> list[bytes]:
        """Of the codes that a look has seen, those that were not in view; all of them are now."""
        seen = list(dict.fromkeys(codes))
        for code, since_s in list(self._missed_s.items()):
            if since_s is not None and now_s - since_s >= self._gone_s:
                del self._missed_s[code]
            elif code not in seen and since_s is None:
                self._missed_s[code] = now_s
        fresh = [code for code in seen if code not in self._missed_s]
        self._missed_s.update(dict.fromkeys(seen))
        return fresh


class CameraScanner:
    """A `Scanner` behind a camera of the same agent.

    Options: `camera`, the name of one of the agent's cameras; `gone_s`, after which a code that was out of sight is a
    scan again.
    """

    recognises = Recognition()

    def __init__(
        self,
        name: str,
        camera: str,
        *,
        gone_s: float = CAMERA_SCAN_GONE_S,
        clock: Callable[[], int] = wall_clock_ms,
    ) -> None:
        if gone_s <= 0:
            raise InvalidInput(f"scanner {name}: gone_s {gone_s:g} is not above 0")
        self.name = name
        self.camera = camera
        self.presence = Presence("scanner", name, place=f"camera {camera}")
        self._in_view = InView(gone_s)
        self._clock = clock
        self._waiting: deque[Scan] = deque()
        self._news = asyncio.Event()
        self._closed = False
        self._scans_seen = 0

    @property
    def abilities(self) -> ScannerAbilities:
        """See Scanner."""
        return ScannerAbilities(aim=True, keeps_gs=True)

    @property
    def connected(self) -> bool:
        """Whether the camera's last look succeeded."""
        return self.presence.connected and not self._closed

    def looked(self, codes: Iterable[bytes]) -> None:
        """What one look saw: each code with its AIM identifier in front, as a hand scanner sends it."""
        if self._closed:
            return
        self.presence.answered()
        if len(self._waiting) >= CAMERA_SCANS_WAITING_MAX:
            # Nobody takes the scans: what is in view waits there.
            return
        for code in self._in_view.appeared(codes, asyncio.get_running_loop().time()):
            self._scans_seen += 1
            self._waiting.append(
                make_scan(code, device=self.name, counter=self._scans_seen, at_ms=self._clock())
            )
        self._news.set()

    def lost(self, problem: str) -> None:
        """The camera could not look, or nobody can look through it now."""
        if not self._closed:
            self.presence.missed(problem)

    async def scans(self) -> AsyncIterator[Scan]:
        """Yield scans until `close`."""
        while not self._closed:
            await self._news.wait()
            self._news.clear()
            while self._waiting and not self._closed:
                yield self._waiting.popleft()

    async def close(self) -> None:
        """End `scans`; the camera is the vision process's."""
        self._closed = True
        self._news.set()

"""Mettler Toledo scales that speak MT-SICS, on a serial line or over TCP.

One question at a time, each answered once or not in time. An answer that comes late must never pass as the answer to
the next question: after a silence the scale is told to begin anew (`@`), and everything up to its answer to that is
thrown away. Garbage between lines is skipped; a line without end is cut at its bound.
"""

from __future__ import annotations

import asyncio
import termios
from collections.abc import Callable
from functools import partial

from bodega.errors import InvalidInput, PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.limits import SCALE_ANSWER_S, SCALE_CONNECT_S, SCALE_LINE_BYTES_MAX, SCALE_STABLE_S
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.mt_sics import Answer, Command, Verdict, parse, request
from bodega_adapters.ports import Recognition, ScaleAbilities, UsbId, Weight
from bodega_adapters.presence import Presence
from bodega_adapters.wires.descriptor import open_serial
from bodega_adapters.wires.tape import Recorder
from bodega_adapters.wires.tcp import open_tcp
from bodega_adapters.wires.wire import Opener, Wire

log = get_logger(__name__)

# How long a wire must be silent for nothing old to be waiting on it.
_QUIET_S = 0.001

_TROUBLE: dict[Verdict, tuple[str, str]] = {
    "busy": ("does not come to rest", "keep hands and wind off it, then weigh again"),
    "over": ("has more on it than it can weigh", "take something off"),
    "under": ("has less on it than nothing", "put its plate on, then set it to zero"),
}


class MtSicsScale:
    """A `Scale` that speaks MT-SICS. See `bodega_adapters.ports.Scale` for its duties.

    Options: `port` (a path, with `baud`) for a serial line, or `host` (with `tcp_port`); `stable_s` is the longest wait
    for a weight to come to rest, `answer_s` for every other answer.
    """

    recognises = Recognition(subsystem="tty", usb=(UsbId(0x0EB8),), name="*METTLER*", address="tcp HOST:8001")

    def __init__(  # noqa: PLR0913  # its options
        self,
        name: str,
        port: str = "",
        baud: int = 9600,
        *,
        host: str = "",
        tcp_port: int = 8001,
        stable_s: float = SCALE_STABLE_S,
        answer_s: float = SCALE_ANSWER_S,
        clock: Callable[[], int] = wall_clock_ms,
        recorder: Recorder | None = None,
    ) -> None:
        if bool(port) == bool(host):
            raise InvalidInput(f"scale {name} needs `port` (a serial line) or `host` (TCP), and not both")
        if baud <= 0 or not 1 <= tcp_port <= 65_535:
            raise InvalidInput(
                f"scale {name}: baud {baud} or tcp_port {tcp_port} is none", hint="leave it out"
            )
        if min(stable_s, answer_s) <= 0:
            raise InvalidInput(f"scale {name}: waits must be longer than 0 s", hint="leave them out")
        opener: Opener = (
            partial(open_serial, port, baud) if port else partial(open_tcp, host, tcp_port, SCALE_CONNECT_S)
        )
        self.name = name
        self.presence = Presence("scale", name, place=port or f"{host}:{tcp_port}")
        self._open_wire = (recorder or Recorder()).over(opener)
        self._stable_s = stable_s
        self._answer_s = answer_s
        self._clock = clock
        self._turn = asyncio.Lock()
        self._wire: Wire | None = None
        self._unread = b""
        self._owes_an_answer = False

    @property
    def abilities(self) -> ScaleAbilities:
        """See Scale."""
        return ScaleAbilities(says_unstable=True, tares=True)

    async def weigh(self, *, stable: bool = True) -> Weight:
        """The next stable weight, or with `stable=False` the one of now."""
        answer = await (self._ask("S", self._stable_s) if stable else self._ask("SI", self._answer_s))
        if answer.milligrams is None:
            raise self._trouble(answer)
        return Weight(
            milligrams=answer.milligrams,
            stable=answer.verdict == "stable",
            text=answer.detail,
            device=self.name,
            at_ms=self._clock(),
        )

    async def zero(self) -> None:
        """Set the empty scale to zero."""
        answer = await self._ask("Z", self._stable_s)
        if answer.verdict != "done":
            raise self._trouble(answer)

    async def tare(self) -> None:
        """What is on it now is packing: weigh from here."""
        answer = await self._ask("T", self._stable_s)
        if answer.verdict != "stable":
            raise self._trouble(answer)

    async def close(self) -> None:
        """Release the wire."""
        self._drop_wire()

    async def _ask(self, command: Command, within_s: float) -> Answer:
        async with self._turn:
            try:
                # Twice the wait for an answer: to connect, and to begin anew.
                async with asyncio.timeout(within_s + 2 * self._answer_s + SCALE_CONNECT_S):
                    answer = await self._asked(command, within_s)
            except PeerFault:
                self._owes_an_answer = False
                self.presence.answered()
                raise
            except TimeoutError as error:
                raise self._missed(str(error) or "it does not answer", silent=True) from error
            except (OSError, termios.error) as error:
                self._drop_wire()
                raise self._missed(str(error), silent=False) from error
            self.presence.answered()
            return answer

    async def _asked(self, command: Command, within_s: float) -> Answer:
        if self._wire is None:
            self._wire = await self._open_wire()
        if self._owes_an_answer:
            await self._begin_anew(self._wire)
        while await self._wire.read(_QUIET_S):
            log.debug("scale_spoke_unasked", device=self.name)
        return await self._put(self._wire, command, within_s)

    async def _begin_anew(self, wire: Wire) -> None:
        try:
            await self._put(wire, "@", self._answer_s)
        except TimeoutError:
            # Perhaps the wire is dead and does not know it, as after a cut of the network.
            self._drop_wire()
            raise

    async def _put(self, wire: Wire, command: Command, within_s: float) -> Answer:
        """Write a question and wait for its answer. Until it comes, one is owed."""
        self._owes_an_answer, self._unread = True, b""
        await wire.write(request(command))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while (left_s := deadline - loop.time()) > 0:
            while b"\n" in self._unread:
                line, _, self._unread = self._unread.partition(b"\n")
                answer = parse(line, command)
                if answer is not None:
                    self._owes_an_answer = False
                    return answer
            self._unread = self._unread[-SCALE_LINE_BYTES_MAX:] + await wire.read(left_s)
        raise TimeoutError(f"it does not answer {command} within {within_s:g} s")

    def _missed(self, problem: str, *, silent: bool) -> Unavailable:
        self.presence.missed(problem, silent=silent)
        return Unavailable(
            f"scale {self.name} at {self.presence.place}: {problem}",
            hint="check that it is on and plugged in, and set to MT-SICS",
        )

    def _trouble(self, answer: Answer) -> Unavailable | PeerFault:
        if answer.verdict in _TROUBLE:
            problem, hint = _TROUBLE[answer.verdict]
            return Unavailable(f"scale {self.name} {problem}", hint=hint)
        return PeerFault(
            f"scale {self.name} answers {answer.detail!r}", hint="is it set to MT-SICS, level 0 or more?"
        )

    def _drop_wire(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

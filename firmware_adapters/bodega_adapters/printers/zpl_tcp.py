"""ZPL printers on the network (port 9100): one connection a job."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from bodega.errors import InvalidInput
from bodega.limits import PRINT_CONNECT_S, PRINT_DONE_S, PRINT_STATUS_S
from bodega_adapters.ports import Recognition
from bodega_adapters.printers.wire_printer import Place, Waits
from bodega_adapters.printers.zpl import USUAL_DOTS_PER_MM, USUAL_WIDTH_MM, ZplPrinter
from bodega_adapters.wires.tape import Recorder
from bodega_adapters.wires.tcp import open_tcp

TCP_PORT_MAX = 65_535


def tcp_place(name: str, host: str, port: int, connect_s: float, recorder: Recorder | None) -> Place:
    """A printer's address; raises `InvalidInput` for a port that is none."""
    if not 1 <= port <= TCP_PORT_MAX:
        raise InvalidInput(f"printer {name}: port {port} is not a TCP port", hint="9100 is the usual one")
    opener = (recorder or Recorder()).over(partial(open_tcp, host, port, connect_s))
    return Place(f"{host}:{port}", opener, hint="check that the printer is on and on the network")


class ZplTcpPrinter(ZplPrinter):
    """A ZPL printer over TCP.

    Options: `host`, `port`, `dots_per_mm` (8 or 12), `width_mm`, and the waits in seconds: `connect_s`; `status_s` for
    one answer; `done_s` for all from the first byte of the job to its confirmation.
    """

    recognises: ClassVar = Recognition(address="tcp HOST:9100")

    def __init__(  # noqa: PLR0913  # its options
        self,
        name: str,
        host: str,
        port: int = 9100,
        *,
        dots_per_mm: int = USUAL_DOTS_PER_MM,
        width_mm: int = USUAL_WIDTH_MM,
        connect_s: float = PRINT_CONNECT_S,
        status_s: float = PRINT_STATUS_S,
        done_s: float = PRINT_DONE_S,
        recorder: Recorder | None = None,
    ) -> None:
        place = tcp_place(name, host, port, connect_s, recorder)
        waits = Waits(connect_s, status_s, done_s)
        super().__init__(name, place, waits, dots_per_mm=dots_per_mm, width_mm=width_mm)

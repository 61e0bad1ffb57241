"""An office printer over IPP: what it says of the very job decides; judged by tapes of CUPS' own `ippeveprinter`.

The tapes were recorded with `ippeveprinter` of Debian 12 (cups-ipp-utils 2.4.2): one that completes jobs, one whose
print command fails (`-c /bin/false`), and one that takes JPEG alone (`-f image/jpeg`). It needs a D-Bus and Avahi to
run, which is why it is on tape here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import InvalidInput, PeerFault
from bodega_adapters.framing import ipp
from bodega_adapters.framing.ipp import Operation, Tag
from bodega_adapters.ports import LabelPrinter, PrintReceipt
from bodega_adapters.registry import open_printer
from bodega_adapters.simulated.ipp_printer import SimulatedIppPrinter
from bodega_adapters.wires.tape import Note, Player, from_text
from support.tapes import TAPES

PDF = b"%PDF-1.4 a label"


@pytest.mark.parametrize(
    ("tape", "receipt"),
    [
        ("completed", PrintReceipt("confirmed", "job {} completed")),
        ("aborted", PrintReceipt("unknown", "job {} aborted: aborted-by-system")),
        ("refused", PrintReceipt("refused", "the printer refuses it: options it lacks")),
    ],
)
async def test_cups_own_printer_is_understood(tape: str, receipt: PrintReceipt) -> None:
    notes = from_text((TAPES / f"ippeveprinter-{tape}.tape").read_text())
    (job,) = {note.data[note.data.index(b"%PDF") :] for note in notes if b"%PDF" in note.data}
    port = {"completed": 18631, "aborted": 18632, "refused": 18633}[tape]
    player = Player(notes)
    printer = open_printer("ipp", "bench", {"host": "localhost", "port": port}, recorder=player)
    got = await printer.print_label(job)
    assert (got.outcome, got.detail) == (receipt.outcome, receipt.detail.format(2))
    assert player.ended
    await printer.close()


@pytest.mark.parametrize(
    ("status", "outcome"), [(401, "failed"), (404, "failed"), (500, "unknown"), (302, "unknown")]
)
async def test_a_server_that_breaks_after_the_job_leaves_it_in_doubt(status: int, outcome: str) -> None:
    """One that refuses the request has made no job of it; one that breaks down may have."""
    notes = from_text((TAPES / "ippeveprinter-completed.tape").read_text())
    sent = next(number for number, note in enumerate(notes) if b"%PDF" in note.data)
    job = notes[sent].data[notes[sent].data.index(b"%PDF") :]
    answer = Note(0, "in", f"HTTP/1.1 {status} Sorry\r\nContent-Length: 0\r\n\r\n".encode())
    printer = open_printer(
        "ipp", "bench", {"host": "localhost", "port": 18631}, recorder=Player([*notes[: sent + 1], answer])
    )
    receipt = await printer.print_label(job)
    assert receipt.outcome == outcome
    assert str(status) in receipt.detail
    await printer.close()


@pytest.fixture
async def rig() -> AsyncIterator[tuple[SimulatedIppPrinter, LabelPrinter]]:
    device = SimulatedIppPrinter()
    await device.start()
    options = {"host": device.host, "port": device.port, "status_s": 0.4, "done_s": 1.2}
    printer = open_printer("ipp", "bench", options)
    yield device, printer
    await printer.close()
    await device.close()


async def test_a_hang_up_after_the_job_is_unknown_and_nothing_is_sent_again(rig) -> None:
    device, printer = rig
    device.hang_up_after_job = True
    assert (await printer.print_label(PDF)).outcome == "unknown"
    assert device.printed == [PDF]


async def test_a_job_that_is_given_up_is_unknown_and_one_that_waits_too(rig) -> None:
    device, printer = rig
    device.aborts = True
    assert "aborted" in (await printer.print_label(PDF)).detail
    device.aborts = False

    async def paper_ends() -> bool:
        device.paper_out = True
        return True

    late = await printer.print_label(PDF, paper_ends)
    assert late.outcome == "unknown"
    assert "in time" in late.detail


async def test_a_printer_that_takes_no_jobs_or_no_pdf_gets_none(rig) -> None:
    device, printer = rig
    device.accepts_jobs = False
    assert (await printer.print_label(PDF)).outcome == "failed"

    async def taken_away() -> bool:
        device.accepts_jobs = False
        return True

    device.accepts_jobs = True
    assert (await printer.print_label(PDF, taken_away)).outcome == "failed"
    device.accepts_jobs, device.takes = True, ["image/pwg-raster"]
    assert (await printer.print_label(PDF)).outcome == "refused"
    assert device.printed == []


async def test_a_printer_without_paper_says_so(rig) -> None:
    device, printer = rig
    device.paper_out = True
    status = await printer.status()
    assert (status.ready, status.paper_out, status.detail) == (False, True, "media-empty, stopped")
    device.answer_status = False
    assert (await printer.print_label(PDF)).outcome == "failed"


def test_a_path_that_is_none_is_refused() -> None:
    for path in ("ipp/print", "/ipp print", "/ipp\r\nHost: other"):
        with pytest.raises(InvalidInput, match="not a path"):
            open_printer("ipp", "bench", {"host": "here", "path": path})


def test_what_is_written_is_read_back() -> None:
    asked = ipp.request(
        Operation.PRINT_JOB,
        "ipp://here/ipp/print",
        (Tag.INTEGER, "job-id", [-7]),
        (Tag.BOOLEAN, "last", [True]),
        (Tag.KEYWORD, "requested-attributes", ["a", "b"]),
        document=b"\x03doc",
    )
    read = ipp.read(asked)
    assert (read.code, read.document, read.number("job-id")) == (Operation.PRINT_JOB, b"\x03doc", -7)
    assert read.attributes["requested-attributes"] == ["a", "b"]
    assert read.text("printer-uri") == "ipp://here/ipp/print"


@given(st.binary(max_size=200))
def test_nonsense_is_the_printers_fault(data: bytes) -> None:
    for message in (data, b"\x02\x00\x00\x00\x00\x00\x00\x01" + data):
        with suppress(PeerFault):
            assert isinstance(ipp.read(message), ipp.Message)

"""Printers that answer strangely: the driver believes only an answer that belongs to its last question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bodega.errors import InvalidInput, PeerFault
from bodega.limits import PRINTER_ANSWER_BYTES_MAX
from bodega_adapters.printers.zpl_tcp import ZplTcpPrinter

JOB = b"^XA^FO9,9^FDx^FS^XZ"
READY = b"".join(
    b"\x02" + line + b"\x03\r\n"
    for line in (b"030,0,0,1218,000,0,0,0,000,0,0,0", b"000,0,0,0,1,2,6,0,00000000,1,000", b"1234,0")
)
BUSY = READY.replace(b"1218,000", b"1218,001")

Answer = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def printer_that(answers: Answer) -> AsyncIterator[tuple[ZplTcpPrinter, bytearray]]:
    """A driver, and what its peer received; `answers` gets the number of each `~HS`, from 1."""
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = 0
        try:
            while data := await reader.read(4096):
                received.extend(data)
                while asked < received.count(b"~HS"):
                    asked += 1
                    await answers(asked, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield ZplTcpPrinter("bench", "127.0.0.1", port, status_s=0.15, done_s=0.5), received


async def test_a_late_answer_from_before_the_job_does_not_confirm_it():
    async def only_the_first_and_late(number: int, writer: asyncio.StreamWriter) -> None:
        if number == 2:
            writer.write(READY)

    async with printer_that(only_the_first_and_late) as (printer, received):
        receipt = await printer.print_label(JOB)
    assert receipt.outcome == "unknown"
    assert received.count(JOB) == 1


async def test_a_slow_printer_that_owes_an_answer_confirms_with_the_second_one():
    async def both_at_the_second_question(number: int, writer: asyncio.StreamWriter) -> None:
        if number == 2:
            writer.write(BUSY + READY)

    async with printer_that(both_at_the_second_question) as (printer, received):
        receipt = await printer.print_label(JOB)
    assert receipt.outcome == "confirmed"
    assert received.count(JOB) == 1


async def test_a_busy_printer_is_asked_until_its_queue_is_empty():
    async def busy_for_a_while(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(BUSY if number in (2, 3) else READY)

    async with printer_that(busy_for_a_while) as (printer, received):
        receipt = await printer.print_label(JOB)
    assert receipt.outcome == "confirmed"
    assert received.count(b"~HS") == 4


async def test_a_queue_that_never_empties_is_unknown_within_the_bound():
    async def busy_for_ever(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(READY if number == 1 else BUSY)

    async with printer_that(busy_for_ever) as (printer, received):
        async with asyncio.timeout(30):
            receipt = await printer.print_label(JOB)
    assert receipt.outcome == "unknown"
    assert received.count(JOB) == 1


@pytest.mark.parametrize("nonsense", [b"\x02what\x03" * 3, b"x" * (PRINTER_ANSWER_BYTES_MAX * 3)])
async def test_nonsense_before_the_job_fails_it_and_nonsense_after_it_leaves_it_unknown(nonsense):
    async def always(_number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(nonsense)

    async def after_the_job(number: int, writer: asyncio.StreamWriter) -> None:
        writer.write(READY if number == 1 else nonsense)

    async with printer_that(always) as (printer, received):
        with pytest.raises(PeerFault):
            await printer.status()
        assert (await printer.print_label(JOB)).outcome == "failed"
        assert received.count(JOB) == 0
    async with printer_that(after_the_job) as (printer, received):
        assert (await printer.print_label(JOB)).outcome == "unknown"


async def test_nobody_listening_fails_the_job():
    async with printer_that(lambda _n, _w: asyncio.sleep(0)) as (printer, _):
        pass
    receipt = await printer.print_label(JOB)
    assert receipt.outcome == "failed"
    assert "can not be reached" in receipt.detail


def test_wrong_options_are_named():
    with pytest.raises(InvalidInput, match="port"):
        ZplTcpPrinter("bench", "127.0.0.1", 0)
    with pytest.raises(InvalidInput, match="longer than 0"):
        ZplTcpPrinter("bench", "127.0.0.1", status_s=0.0)

"""Wires carry bytes both ways, say when the device is gone, and can be recorded and played back."""

from __future__ import annotations

import asyncio
import os
import pty
import tty

import pytest

from bodega.errors import InvalidInput
from bodega_adapters.wires.descriptor import DescriptorWire, open_serial
from bodega_adapters.wires.tape import Note, PlayedWire, Recorder, Way, from_text, to_text
from bodega_adapters.wires.tcp import open_tcp
from bodega_adapters.wires.wire import Wire


async def test_a_serial_wire_reads_writes_and_hears_of_the_unplug():
    device, port = pty.openpty()
    tty.setraw(port)
    wire = await open_serial(os.ttyname(port), 9600)
    os.close(port)
    assert await wire.read(0.01) == b""
    os.write(device, b"scan\r")
    assert await wire.read(5) == b"scan\r"
    await wire.write(b"beep")
    assert os.read(device, 10) == b"beep"
    os.close(device)
    with pytest.raises(OSError, match=r"gone|Input"):
        await wire.read(5)
    wire.close()


async def test_closing_a_wire_wakes_its_reader():
    here, there = os.pipe()
    os.set_blocking(here, False)
    wire = DescriptorWire(here)
    reading = asyncio.create_task(wire.read(None))
    await asyncio.sleep(0)
    wire.close()
    assert await asyncio.wait_for(reading, 5) == b""
    wire.close()
    os.close(there)


async def test_a_write_waits_for_room_and_arrives_whole():
    here, there = os.pipe()
    os.set_blocking(there, False)
    wire = DescriptorWire(there)
    body = bytes(range(256)) * 4096
    writing = asyncio.create_task(wire.write(body))
    arrived = await asyncio.to_thread(lambda: _read_all(here, len(body)))
    await writing
    assert arrived == body
    wire.close()
    os.close(here)


def _read_all(descriptor: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += os.read(descriptor, 65536)
    return found


async def test_a_tcp_wire_reads_writes_and_hears_of_the_hang_up():
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(3)).upper())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    wire = await open_tcp("127.0.0.1", server.sockets[0].getsockname()[1], 5)
    assert await wire.read(0.01) == b""
    await wire.write(b"~hs")
    assert await wire.read(5) == b"~HS"
    with pytest.raises(OSError, match="hung up"):
        await wire.read(5)
    wire.close()
    server.close()


async def test_what_was_recorded_can_be_played_back():
    server, device = pty.openpty()
    tty.setraw(device)
    heard: list[tuple[Way, bytes]] = []
    recorder = Recorder()
    recorder.listener = lambda way, data: heard.append((way, data))

    async def opened() -> Wire:
        return await open_serial(os.ttyname(device), 9600)

    wire = await recorder.over(opened)()
    await wire.write(b"S\r\n")
    os.read(server, 10)
    os.write(server, b"S S 1.5 kg\r\n")
    reading = await wire.read(5)
    wire.close()
    assert [way for way, _ in heard] == ["open", "out", "in"]

    played = PlayedWire(from_text(to_text(Note(0, way, data) for way, data in heard)))
    await played.write(b"S\r")
    await played.write(b"\n")
    assert await played.read(5) == reading
    assert await played.read(0.01) == b""
    with pytest.raises(OSError, match="does not go on"):
        await played.write(b"S\r\n")


def test_a_tape_that_can_not_be_read_names_the_line():
    good = to_text([Note(3, "in", b"x")])
    assert from_text(good) == [Note(3, "in", b"x")]
    with pytest.raises(InvalidInput, match="line 2"):
        from_text(good + '{"way": "in"}\n')
    with pytest.raises(InvalidInput, match="'sideways' is not one of"):
        from_text('{"after_ms": 0, "way": "sideways", "hex": ""}\n')

"""A tape is a test: what crossed the wire of a device once is made of it again, without the device."""

from __future__ import annotations

import pytest

from bodega.errors import InvalidInput
from bodega_adapters import replay as replaying
from bodega_adapters.replay import replay
from bodega_adapters.wires.tape import Note, from_text, to_text
from support import tapes
from support.tapes import replayed


async def test_the_scanners_tape():
    """Merged, cut, after garbage, after an unplug: the scans that the simulated scanner sent, and no half one."""
    scans = await replayed("scanner.tape", "serial")
    assert [(scan["symbology"], scan["scan"]) for scan in scans] == [
        ("]C1", "01095011015300031728022910L-1"),
        ("]C0", "A-01-02"),
        ("]E0", "9506000134352"),
        ("]C0", "WHOLE"),
    ]


async def test_the_scales_tape():
    rows = await replayed("scale.tape", "mt-sics", answer_s=0.2)
    assert [row["asked"] for row in rows] == ["Z", "SI", "S", "S", "T", "SI", "S"]
    assert [row.get("milligrams") for row in rows if "milligrams" in row][1:] == [1_250_500, 100_000]
    assert ["more on it" in row.get("error", "") for row in rows] == [n == 3 for n in range(7)]
    assert "does not answer SI" in rows[5]["error"]


async def test_the_printers_tape():
    rows = await replayed("printer.tape", "zpl-tcp")
    assert rows[0]["status"]["ready"]
    assert [row["receipt"]["outcome"] for row in rows[1:]] == ["confirmed", "failed", "unknown"]
    assert "head open" in rows[2]["receipt"]["detail"]


async def test_the_tapes_are_what_the_simulated_devices_still_make(tmp_path):
    """Bytes and ways as on the committed tape; times and the pieces of a read are of no matter."""
    made = await tapes.MAKERS["scale.tape"](tmp_path)
    kept = from_text((tapes.TAPES / "scale.tape").read_text())

    def crossed(notes: list[Note], way: str) -> bytes:
        return b"".join(note.data for note in notes if note.way == way)

    assert crossed(made, "out") == crossed(kept, "out")
    assert len(crossed(made, "in")) == len(crossed(kept, "in"))


async def test_silence_ends_a_scan_on_a_tape_too():
    notes = [Note(0, "open"), Note(0, "in", b"A-01")]
    scans = await replay("scanner", "serial", {"terminators": "", "gap_ms": 10}, notes)
    assert [scan["scan"] for scan in scans] == ["A-01"]


async def test_a_tape_of_another_driver_is_no_wonder():
    rows = await replayed("scanner.tape", "mt-sics")
    assert rows == []
    assert from_text(to_text([])) == []


async def test_a_tape_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(replaying, "REPLAY_LASTS_S", 0.2)
    with pytest.raises(InvalidInput, match="not played to its end"):
        await replay(
            "scanner", "serial", {}, [Note(0, "open"), Note(0, "out", b"asked"), Note(0, "in", b"A\r")]
        )


async def test_a_driver_without_a_wire_can_not_be_played():
    with pytest.raises(InvalidInput, match="no wire"):
        await replay("camera", "folder", {}, [])

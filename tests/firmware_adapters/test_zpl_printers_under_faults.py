"""ZPL printers over every wire, with every fault of paper, cable and power: no parcel gets two labels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega_adapters.ports import LabelPrinter
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter
from support.devices import eventually
from support.long_run import by_length
from support.printer_rigs import ZPL_DRIVERS, sscc, zpl_bench, zpl_label

QUESTION_BYTES = len(b"~HS")
SHORT_LABEL = b"^XA^FO9,9^FDx^FS^XZ"
STOPS = ("paper_out", "head_open", "paused", "ribbon_out", "too_hot")

Bench = tuple[SimulatedZplPrinter, LabelPrinter]


@pytest.fixture(params=ZPL_DRIVERS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with zpl_bench(request.param) as both:
        yield both


async def test_status_says_everything_that_is_wrong(rig: Bench) -> None:
    device, printer = rig
    assert (await printer.status()).ready
    device.head_open = device.paused = device.paper_out = device.cutter_fault = True
    status = await printer.status()
    assert (status.ready, status.head_open, status.paused, status.paper_out) == (False, True, True, True)
    assert status.detail == "paper out, head open, paused, cutter fault"


@pytest.mark.parametrize("stop", STOPS)
async def test_a_printer_that_is_stopped_gets_no_byte_of_the_job(rig: Bench, stop: str) -> None:
    device, printer = rig
    setattr(device, stop, True)
    assert (await printer.print_label(zpl_label())).outcome == "failed"
    setattr(device, stop, False)
    assert device.labels == []
    assert (await printer.print_label(zpl_label())).outcome == "confirmed"
    assert len(device.labels) == 1


async def test_a_cutter_that_fails_is_only_heard_of_after_the_job_and_makes_a_doubt(rig: Bench) -> None:
    device, printer = rig
    device.print_s = 0.05
    task = asyncio.create_task(printer.print_label(zpl_label()))
    await eventually(lambda: device.queued_labels)
    device.claims_ready = True
    device.cutter_fault = True
    device.claims_ready = False
    receipt = await task
    assert receipt.outcome == "unknown"


async def test_a_printer_without_error_flags_is_believed_by_its_host_status_and_asked_once(
    rig: Bench,
) -> None:
    device, printer = rig
    device.knows_error_flags = False
    assert (await printer.print_label(zpl_label(1))).outcome == "confirmed"
    assert (await printer.status()).ready
    assert (await printer.print_label(zpl_label(2))).outcome == "confirmed"
    assert len(device.labels) == 2


@pytest.mark.parametrize("reprints", [True, False])
async def test_paper_that_runs_out_in_the_job_is_unknown_whether_the_printer_goes_on_with_it_or_not(
    rig: Bench, reprints: bool
) -> None:
    device, printer = rig
    device.labels_on_roll, device.reprints_after_error = 0, reprints
    assert (await printer.print_label(zpl_label())).outcome == "unknown"
    assert device.labels == []
    device.paper_out = False
    assert [printed.sscc for printed in device.labels] == ([sscc()] if reprints else [])


async def test_power_that_goes_in_mid_label_is_unknown_and_the_label_is_spoiled(rig: Bench) -> None:
    device, printer = rig
    device.print_s = 0.2
    task = asyncio.create_task(printer.print_label(zpl_label()))
    await eventually(lambda: device.queued_labels)
    device.lose_power()
    assert (await task).outcome == "unknown"
    assert (device.labels, len(device.spoiled)) == ([], 1)
    await device.power_off()


async def test_a_slow_printer_is_waited_for(rig: Bench) -> None:
    device, printer = rig
    device.print_s, device.answer_s = 0.3, 0.02
    assert (await printer.print_label(zpl_label())).outcome == "confirmed"


async def test_half_a_job_left_in_the_printer_does_not_spoil_the_next_parcel(rig: Bench) -> None:
    device, printer = rig
    device.drop_connection_after_bytes = QUESTION_BYTES + 40
    assert (await printer.print_label(zpl_label())).outcome == "unknown"
    assert (await printer.print_label(zpl_label(2))).outcome == "confirmed"
    assert [printed.sscc for printed in device.labels] == [sscc(2)]


@pytest.mark.parametrize("driver", ["zpl-tcp", "zpl-usb"])
async def test_a_silent_printer_is_unknown_although_the_label_came_out(driver: str) -> None:
    async with zpl_bench(driver) as (device, printer):
        device.answer_status = False
        assert (await printer.print_label(zpl_label())).outcome == "unknown"
        assert len(device.labels) == 1


async def test_a_silent_serial_line_gets_no_byte_because_a_printer_that_is_off_is_as_silent() -> None:
    async with zpl_bench("zpl-serial") as (device, printer):
        device.answer_status = False
        assert (await printer.print_label(zpl_label())).outcome == "failed"
        assert device.labels == []


@pytest.mark.parametrize("driver", ["zpl-serial", "zpl-usb"])
async def test_an_answer_that_an_earlier_conversation_is_owed_confirms_nothing(driver: str) -> None:
    async with zpl_bench(driver) as (device, printer):
        assert (await printer.status()).ready
        # The printer takes longer than anybody waits, so its answers come into the next conversation.
        device.answer_s = 0.6
        assert (await printer.print_label(zpl_label(1))).outcome in ("failed", "unknown")
        device.answer_s = 0.0
        device.blank_labels = device.answers_lost = 1
        device.paused = True
        assert (await printer.print_label(zpl_label(2))).outcome != "confirmed"


@pytest.mark.parametrize("driver", ZPL_DRIVERS)
async def test_a_connection_cut_after_any_byte_never_makes_a_second_label(driver: str) -> None:
    cuts = range(QUESTION_BYTES + len(SHORT_LABEL) + 1)
    for cut in cuts if driver == "zpl-tcp" else cuts[:: by_length(4, 1)]:
        async with zpl_bench(driver) as (device, printer):
            device.drop_connection_after_bytes = cut
            first = await printer.print_label(SHORT_LABEL)
            assert first.outcome in ("failed", "unknown"), cut
            if cut < QUESTION_BYTES:
                assert first.outcome == "failed", cut
            if cut > QUESTION_BYTES:
                assert first.outcome == "unknown", cut
            if first.outcome == "failed":
                assert device.labels == []
                assert (await printer.print_label(SHORT_LABEL)).outcome == "confirmed"
            assert len(device.labels) <= 1, cut


FAULTS = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, QUESTION_BYTES + len(zpl_label()) + 10)),
    st.tuples(st.sampled_from(STOPS), st.booleans()),
    st.tuples(st.just("roll"), st.integers(0, 2)),
    st.tuples(st.just("power"), st.booleans()),
    st.tuples(st.just("power_off_after_bytes"), st.integers(1, 900)),
    st.tuples(st.just("answers_lost"), st.integers(0, 3)),
    st.tuples(st.just("nothing"), st.none()),
)


async def inflict(device: SimulatedZplPrinter, fault: str, value: int | bool | None) -> None:
    """One fault."""
    match fault:
        case "cut":
            device.drop_connection_after_bytes = value
        case "roll":
            device.labels_on_roll = value
        case "power":
            await (device.power_on() if value else device.power_off())
        case "nothing":
            pass
        case _:
            setattr(device, fault, value)


async def recover(device: SimulatedZplPrinter) -> None:
    """All is well again, and what waits in the printer comes out."""
    device.labels_on_roll = device.drop_connection_after_bytes = device.power_off_after_bytes = None
    await device.power_off() if not device.is_on else None
    await device.power_on()
    for stop in STOPS:
        setattr(device, stop, False)


@pytest.mark.parametrize("driver", ZPL_DRIVERS)
@settings(max_examples=by_length(15, 1_000), deadline=None)
@given(schedule=st.lists(FAULTS, min_size=1, max_size=6))
def test_under_any_schedule_of_faults_no_parcel_gets_two_labels(
    driver: str, schedule: list[tuple[str, int | bool | None]]
) -> None:
    async def story() -> None:
        async with zpl_bench(driver, quick=True) as (device, printer):
            outcomes = {}
            for serial, fault in enumerate(schedule):
                await inflict(device, *fault)
                receipt = await printer.print_label(zpl_label(serial))
                if receipt.outcome == "failed":
                    receipt = await printer.print_label(zpl_label(serial))
                outcomes[sscc(serial)] = receipt.outcome
            await recover(device)
            printed = [label.sscc for label in device.labels]
            assert len(printed) == len(set(printed))
            assert set(printed) >= {number for number, outcome in outcomes.items() if outcome == "confirmed"}
            assert not set(printed) & {number for number, outcome in outcomes.items() if outcome == "failed"}

    asyncio.run(story())

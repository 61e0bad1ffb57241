"""What every label printer driver must do: above all, no second label under any fault.

"failed" may be tried again, "unknown" never is, "confirmed" is done. With that policy alone, whatever the
cable, the paper or the power do, one parcel never gets two labels. A new driver adds a rig and
passes this file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega.errors import InvalidInput, Unavailable
from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.labels.document import parcel, render
from bodega_adapters.ports import LabelPrinter, PrinterAbilities
from bodega_adapters.registry import PRINTERS, open_printer
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter

QUESTION_BYTES = len(b"~HS")
SHORT_LABEL = b"^XA^FO9,9^FDx^FS^XZ"
SSCC = make_sscc(3, "9501101", 1)


def label(sscc: str = SSCC) -> bytes:
    to, sender = ("Ana Example", "1 High St"), ("Bodega",)
    document = parcel(sscc=sscc, order_id="ord-1", ship_to=to, ship_from=sender, service="NEXT DAY")
    return render(document, PrinterAbilities("zpl", 8, 101, says_status=True, confirms=True))


def open_zpl_tcp(device: SimulatedZplPrinter) -> LabelPrinter:
    waits = {"connect_s": 10.0, "status_s": 0.4, "done_s": 1.2}
    return open_printer("zpl-tcp", "bench", {"host": device.host, "port": device.port, **waits})


RIGS: dict[str, Callable[[SimulatedZplPrinter], LabelPrinter]] = {"zpl-tcp": open_zpl_tcp}


@asynccontextmanager
async def bench(driver: str) -> AsyncIterator[tuple[SimulatedZplPrinter, LabelPrinter]]:
    device = SimulatedZplPrinter()
    await device.start()
    printer = RIGS[driver](device)
    try:
        yield device, printer
    finally:
        await printer.close()
        await device.close()


@pytest.fixture(params=sorted(RIGS))
def driver(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def rig(driver: str) -> AsyncIterator[tuple[SimulatedZplPrinter, LabelPrinter]]:
    async with bench(driver) as both:
        yield both


def test_every_shipped_driver_is_under_contract():
    assert set(RIGS) == set(PRINTERS)


async def test_a_good_printer_confirms_and_has_printed_exactly_this_label_once(rig):
    device, printer = rig
    receipt = await printer.print_label(label())
    assert receipt.outcome == "confirmed"
    assert [printed.sscc for printed in device.labels] == [SSCC]
    assert device.labels[0].zpl == label().rstrip()


async def test_status_says_what_is_wrong(rig):
    device, printer = rig
    assert (await printer.status()).ready
    device.head_open = True
    device.paused = True
    device.paper_out = True
    status = await printer.status()
    assert (status.ready, status.head_open, status.paused, status.paper_out) == (False, True, True, True)
    assert "head open" in status.detail


async def test_status_of_a_printer_that_is_off_or_silent_is_unavailable_with_a_hint(rig):
    device, printer = rig
    device.answer_status = False
    with pytest.raises(Unavailable) as silent:
        await printer.status()
    await device.power_off()
    with pytest.raises(Unavailable) as off:
        await printer.status()
    assert silent.value.hint
    assert off.value.hint


async def test_a_printer_that_is_off_fails_and_prints_once_when_it_is_back(rig):
    device, printer = rig
    await device.power_off()
    assert (await printer.print_label(label())).outcome == "failed"
    await device.power_on()
    assert (await printer.print_label(label())).outcome == "confirmed"
    assert len(device.labels) == 1


@pytest.mark.parametrize("stop", ["paper_out", "head_open", "paused"])
async def test_a_printer_that_is_not_ready_gets_no_byte_of_the_job(rig, stop):
    device, printer = rig
    setattr(device, stop, True)
    assert (await printer.print_label(label())).outcome == "failed"
    setattr(device, stop, False)
    assert device.labels == []
    assert (await printer.print_label(label())).outcome == "confirmed"
    assert len(device.labels) == 1


async def test_paper_that_runs_out_in_the_job_is_unknown_and_new_paper_prints_the_label_once(rig):
    device, printer = rig
    device.labels_on_roll = 0
    assert (await printer.print_label(label())).outcome == "unknown"
    assert device.labels == []
    device.paper_out = False
    assert [printed.sscc for printed in device.labels] == [SSCC]


async def test_a_silent_printer_is_unknown_although_the_label_came_out(rig):
    device, printer = rig
    device.answer_status = False
    assert (await printer.print_label(label())).outcome == "unknown"
    assert len(device.labels) == 1


async def test_a_connection_cut_after_any_byte_never_makes_a_second_label(driver):
    for cut in range(QUESTION_BYTES + len(SHORT_LABEL) + 1):
        async with bench(driver) as (device, printer):
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


async def test_half_a_job_left_in_the_printer_does_not_spoil_the_next_parcel(rig):
    device, printer = rig
    device.drop_connection_after_bytes = QUESTION_BYTES + 40
    assert (await printer.print_label(label())).outcome == "unknown"
    other = make_sscc(3, "9501101", 2)
    assert (await printer.print_label(label(other))).outcome == "confirmed"
    assert [printed.sscc for printed in device.labels] == [other]


async def test_two_users_of_one_printer_get_one_label_each(driver):
    async with bench(driver) as (device, first):
        second = RIGS[driver](device)
        ssccs = [make_sscc(3, "9501101", serial) for serial in (1, 2, 3, 4)]
        users = (first, first, second, second)
        await asyncio.gather(
            *(user.print_label(label(sscc)) for user, sscc in zip(users, ssccs, strict=True))
        )
        assert sorted(str(printed.sscc) for printed in device.labels) == ssccs


async def test_an_empty_or_oversize_job_is_refused(rig):
    device, printer = rig
    for job in (b"", b"x" * (LABEL_BYTES_MAX + 1)):
        with pytest.raises(InvalidInput):
            await printer.print_label(job)
    assert (await printer.print_label(SHORT_LABEL.ljust(LABEL_BYTES_MAX))).outcome == "confirmed"
    assert len(device.labels) == 1


async def test_close_may_come_twice_and_prints_nothing(rig):
    device, printer = rig
    await printer.close()
    await printer.close()
    assert not device.labels


FAULTS = st.one_of(
    st.tuples(st.just("cut"), st.integers(0, QUESTION_BYTES + len(label()) + 10)),
    st.tuples(st.sampled_from(["paper_out", "head_open", "paused"]), st.booleans()),
    st.tuples(st.just("roll"), st.integers(0, 2)),
    st.tuples(st.just("power"), st.booleans()),
    st.tuples(st.just("nothing"), st.none()),
)


async def inflict(device: SimulatedZplPrinter, fault: str, value: object) -> None:
    if fault == "cut":
        device.drop_connection_after_bytes = value
    elif fault == "roll":
        device.labels_on_roll = value
    elif fault == "power":
        await (device.power_on() if value else device.power_off())
    elif fault != "nothing":
        setattr(device, fault, value)


async def recover(device: SimulatedZplPrinter) -> None:
    device.labels_on_roll = device.drop_connection_after_bytes = None
    await device.power_on()
    device.paper_out = device.head_open = device.paused = False


@pytest.mark.parametrize("driver", sorted(RIGS))
@settings(max_examples=150, deadline=None)
@given(schedule=st.lists(FAULTS, min_size=1, max_size=6))
def test_under_any_schedule_of_faults_no_parcel_gets_two_labels(driver, schedule):
    async def story() -> None:
        async with bench(driver) as (device, printer):
            outcomes = {}
            for serial, fault in enumerate(schedule):
                sscc = make_sscc(3, "9501101", serial)
                await inflict(device, *fault)
                receipt = await printer.print_label(label(sscc))
                if receipt.outcome == "failed":
                    receipt = await printer.print_label(label(sscc))
                outcomes[sscc] = receipt.outcome
            await recover(device)
            printed = [label.sscc for label in device.labels]
            assert len(printed) == len(set(printed))
            assert set(printed) >= {sscc for sscc, outcome in outcomes.items() if outcome == "confirmed"}
            assert not set(printed) & {sscc for sscc, outcome in outcomes.items() if outcome == "failed"}

    asyncio.run(story())

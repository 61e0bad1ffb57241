"""A script is checked whole before it plays: every fault with its line, every step at its time."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bodega.errors import ConfigInvalid, NotFound, Unavailable
from bodega.limits import SCRIPT_BYTES_MAX, SCRIPT_LASTS_S_MAX
from bodega_adapters.simulated.script import parse_script, play, read_script

GOOD = """
[[steps]]
at_s = 5
device = "toaster"
set = { broken = true }

[[steps]]
at_s = 2.5
device = "toaster"
do = "toast"
args = { slices = 2 }

[[steps]]
at_s = 7
device = "toaster"
do = "sleep"
"""

BAD = """
[[steps]]
at_s = -1
device = "toaster"
do = "toast"

[[steps]]
at_s = 1
device = "kettle"
do = "boil"

[[steps]]
at_s = 1
device = "toaster"
do = "_secret"

[[steps]]
at_s = 1
device = "toaster"
do = "toast"
args = { slices = 1, bread = "rye" }

[[steps]]
at_s = 1
device = "toaster"
set = { colour = "red" }

[[steps]]
at_s = 1
device = "toaster"
"""


class Toaster:
    """A simulated device with a plain method, an async one, and a fault."""

    def __init__(self) -> None:
        self.broken = False
        self.done: list[str] = []

    def toast(self, slices: int = 1) -> None:
        if self.broken:
            raise Unavailable("the toaster is broken")
        self.done.append(f"toast {slices}")

    async def sleep(self) -> None:
        self.done.append("sleep")

    def _secret(self) -> None:
        raise AssertionError


def parse(text: str):
    return parse_script(text, {"toaster": Toaster()})


async def test_steps_are_done_in_the_order_of_their_time_and_at_it():
    toaster, waited = Toaster(), []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        toaster.done.append("-")

    await play(parse_script(GOOD, {"toaster": toaster}), {"toaster": toaster}, sleep=sleep)
    assert waited == [2.5, 2.5, 2.0]
    assert toaster.done == ["-", "toast 2", "-", "-", "sleep"]
    assert toaster.broken


async def test_a_step_that_the_device_refuses_is_logged_and_the_next_one_comes():
    toaster = Toaster()
    toaster.broken = True
    steps = [step for step in parse_script(GOOD, {"toaster": toaster}) if step.do]

    async def sleep(_seconds: float) -> None:
        return

    with capture_logs() as logs:
        await play(steps, {"toaster": toaster}, sleep=sleep)
    assert [line["event"] for line in logs] == ["script_step_refused", "script_step"]
    assert toaster.done == ["sleep"]


def test_every_fault_is_named_with_its_line():
    with pytest.raises(ConfigInvalid) as first:
        parse(BAD)
    assert [(fault.line, fault.where) for fault in first.value.faults] == [(3, "steps.0.at_s")]
    with pytest.raises(ConfigInvalid) as then:
        parse(BAD.replace("-1", "1"))
    assert [(fault.line, fault.where) for fault in then.value.faults] == [
        (9, "steps.1.device"),
        (15, "steps.2.do"),
        (21, "steps.3.args"),
        (26, "steps.4.set"),
        (28, "steps.5.do"),
    ]
    assert "can not '_secret'; it can sleep, toast" in str(then.value.faults[1])


@pytest.mark.parametrize("seconds", [-0.1, SCRIPT_LASTS_S_MAX + 1])
def test_a_step_beyond_its_time_is_refused(seconds):
    with pytest.raises(ConfigInvalid, match="1 fault"):
        parse(f'[[steps]]\nat_s = {seconds}\ndevice = "toaster"\ndo = "toast"\n')


def test_a_script_that_is_too_long_or_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ConfigInvalid, match="1 fault"):
        parse("#" * (SCRIPT_BYTES_MAX + 1))
    with pytest.raises(NotFound):
        read_script(tmp_path / "no.toml", {})

"""What simulated devices do by themselves, and when: a list of steps, read from a TOML file, every fault named.

[[steps]]
at_s = 2.0                            # since the start
device = "scanner"
do = "scan"                           # a public method of the simulated device, plain or async
args = { text = "9506000134352", symbology = "]E0" }

[[steps]]
at_s = 5
device = "printer"
set = { paper_out = true }            # or public attributes of it
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import Attribute, field, frozen

from bodega.errors import BodegaError, FieldFault
from bodega.host import config as toml
from bodega.host.log import get_logger
from bodega.limits import SCRIPT_BYTES_MAX, SCRIPT_LASTS_S_MAX, SCRIPT_STEPS_MAX

log = get_logger(__name__)


def _in_time(_self: Any, _attribute: Attribute[float], value: float) -> None:
    if not 0 <= value <= SCRIPT_LASTS_S_MAX:
        raise ValueError(f"'at_s' must be between 0 and {SCRIPT_LASTS_S_MAX:g}, is {value:g}")


@frozen(kw_only=True)
class Step:
    """One thing that one device does: call its method `do` with `args`, or `set` attributes of it."""

    at_s: float = field(validator=_in_time)
    device: str
    do: str = ""
    args: dict[str, Any] = field(factory=dict)
    set: dict[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class _File:
    steps: list[Step] = field(factory=list)


def read_script(path: Path, devices: Mapping[str, object]) -> list[Step]:
    """The steps of a file, in the order of their time. Raises ConfigInvalid with every fault, or NotFound."""
    return parse_script(toml.read(path), devices, source=str(path))


def parse_script(text: str, devices: Mapping[str, object], *, source: str = "the script") -> list[Step]:
    """Like `read_script`, from text. `devices` are the simulated ones, by name: what they can do is legal."""
    if len(text.encode()) > SCRIPT_BYTES_MAX:
        raise toml.invalid(source, (FieldFault("file", f"has more than {SCRIPT_BYTES_MAX} bytes"),))
    return parse_steps(toml.parse(text, _File, source=source).steps, devices, text=text, source=source)


def parse_steps(
    steps: list[Step], devices: Mapping[str, object], *, text: str = "", source: str = "the script"
) -> list[Step]:
    """Check steps against what the devices can do; `text` is where they came from, to find lines in."""
    faults = [
        FieldFault(f"steps.{number}.{where}", problem, toml.line_of(text, ["steps", str(number), where]))
        for number, step in enumerate(steps)
        for where, problem in _faults(step, devices)
    ]
    if len(steps) > SCRIPT_STEPS_MAX:
        faults.append(FieldFault("steps", f"are more than {SCRIPT_STEPS_MAX}"))
    if faults:
        raise toml.invalid(source, tuple(faults))
    return sorted(steps, key=lambda step: step.at_s)


async def play(
    steps: list[Step],
    devices: Mapping[str, object],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Do the steps at their times. A step that a device refuses (it is unplugged) is logged, and the next one comes."""
    now_s = 0.0
    for step in steps:
        await sleep(max(0.0, step.at_s - now_s))
        now_s = step.at_s
        try:
            await do(step, devices[step.device])
        except BodegaError as error:
            log.warning("script_step_refused", device=step.device, do=step.do, reason=error.message)
        else:
            log.info("script_step", device=step.device, do=step.do or "set", at_s=step.at_s)


async def do(step: Step, device: object) -> None:
    """One step, now; `step` has been checked against this device."""
    for name, value in step.set.items():
        setattr(device, name, value)
    if step.do:
        done = getattr(device, step.do)(**step.args)
        if inspect.isawaitable(done):
            await done


def actions_of(device: object) -> dict[str, Callable[..., object]]:
    """The public methods of a simulated device, by name."""
    return {
        name: getattr(device, name)
        for name, member in inspect.getmembers_static(type(device))
        if not name.startswith("_") and inspect.isfunction(member)
    }


def settings_of(device: object) -> list[str]:
    """The public attributes of a simulated device that may be set."""
    described = {
        name
        for name, member in inspect.getmembers_static(type(device))
        if inspect.isdatadescriptor(member) and not (isinstance(member, property) and member.fset is None)
    }
    return sorted(name for name in {*described, *vars(device)} if not name.startswith("_"))


def _faults(step: Step, devices: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    device = devices.get(step.device)
    if device is None:
        yield "device", f"is not one of {', '.join(sorted(devices))}: '{step.device}'"
        return
    if bool(step.do) == bool(step.set):
        yield "do", "must be there, or `set`, and not both"
    for name in step.set:
        if name not in settings_of(device):
            yield "set", f"'{step.device}' has no '{name}'; there are {', '.join(settings_of(device))}"
    actions = actions_of(device)
    if step.do and step.do not in actions:
        yield "do", f"'{step.device}' can not '{step.do}'; it can {', '.join(sorted(actions))}"
    elif step.do:
        try:
            inspect.signature(actions[step.do]).bind(**step.args)
        except TypeError as error:
            yield "args", f"of '{step.do}': {error}"

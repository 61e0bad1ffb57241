"""What a driver's factory asks for: its options with types and defaults, read from its signature.

Only parameters of type str, int, float or bool are options; everything else (a clock, a recorder) belongs to tests and
to the agent.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, get_type_hints

from bodega.errors import FieldFault

Factory: TypeAlias = Callable[..., Any]

_TAKEN: dict[type, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a driver. `default` is None when it is needed."""

    name: str
    type: type
    default: str | int | float | bool | None
    needed: bool


def options_of(factory: Factory) -> dict[str, Option]:
    """A factory's options by name, in the order in which it names them; its first parameter is the device's name."""
    hints = _hints(factory)
    return {
        each.name: Option(
            each.name, hints[each.name], _default(each), each.default is inspect.Parameter.empty
        )
        for each in list(inspect.signature(factory).parameters.values())[1:]
        if hints.get(each.name) in _TAKEN
    }


def takes(factory: Factory, parameter: str) -> bool:
    """Whether a factory has a parameter of this name."""
    return parameter in inspect.signature(factory).parameters


def option_faults(factory: Factory, options: Mapping[str, object]) -> list[FieldFault]:
    """What is missing, unknown or of a wrong type; `where` is the option's name."""
    known = options_of(factory)
    faults = [
        FieldFault(name, "is needed") for name, each in known.items() if each.needed and name not in options
    ]
    for name, value in options.items():
        if name not in known:
            faults.append(FieldFault(name, f"is not an option of this driver; known: {', '.join(known)}"))
        elif not _fits(value, known[name].type):
            faults.append(FieldFault(name, f"is not of type {known[name].type.__name__}: {value!r}"))
    return faults


def _hints(factory: Factory) -> dict[str, Any]:
    return get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)


def _default(parameter: inspect.Parameter) -> str | int | float | bool | None:
    return None if parameter.default is inspect.Parameter.empty else parameter.default


def _fits(value: object, expected: type) -> bool:
    if isinstance(value, bool):
        return expected is bool
    return isinstance(value, _TAKEN[expected])

"""Configuration files: TOML in, a typed value out, every fault named at once with its line and key.

A file is structured by cattrs into attrs classes that forbid unknown keys; validators on the classes say
what a value may be. Nothing is read from the environment behind the reader's back.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override
from cattrs.v import format_exception

from bodega.errors import ConfigInvalid, FieldFault, NotFound, PermissionRefused

T = TypeVar("T")

_PATH_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']+)'\]|\[(\d+)\]")


def load(path: Path, shape: type[T]) -> T:
    """Read `path` into `shape`, or raise ConfigInvalid with every fault, or NotFound."""
    return parse(read(path), shape, source=str(path))


def read(path: Path) -> str:
    """The text of a configuration file, or NotFound, or ConfigInvalid when it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFound(
            f"there is no configuration file {path}", hint="give another one with --config FILE"
        ) from error
    except PermissionError as error:
        raise PermissionRefused(
            f"the configuration file {path} may not be read", hint="use sudo, or check its owner and mode"
        ) from error
    except UnicodeDecodeError as error:
        raise invalid(str(path), (FieldFault("file", "is not UTF-8 text"),)) from error


def parse(text: str, shape: type[T], *, source: str = "configuration") -> T:
    """Like `load`, from text."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise invalid(source, (FieldFault("file", f"is not TOML: {error}", line),)) from error
    return structure(raw, shape, text, source=source)


def structure(raw: Any, shape: type[T], text: str = "", *, source: str = "configuration") -> T:
    """Like `parse`, from values that were read already; `text` is where they came from, to find lines in."""
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook_factory(attrs.has, lambda kind: _by_attribute(kind, converter))
    converter.register_structure_hook(Path, lambda value, _: Path(_text(value)))
    converter.register_structure_hook(str, lambda value, _: _text(value))
    converter.register_structure_hook(int, lambda value, _: _number(value, int))
    converter.register_structure_hook(float, lambda value, _: float(_number(value, (int, float))))
    converter.register_structure_hook(bool, lambda value, _: _flag(value))
    if not isinstance(raw, dict):
        raise invalid(source, (FieldFault("file", "must be one object with keys"),))
    try:
        return converter.structure(raw, shape)
    except cattrs.ClassValidationError as error:
        raise invalid(source, tuple(_faults(error, text))) from error


def _by_attribute(kind: type, converter: cattrs.Converter) -> Any:
    """Structure a class so that each attribute's own validator answers for its own key.

    Left to itself attrs stops at the first one; a person wants to hear of all of them.
    """
    attrs.resolve_types(kind)

    def hook_for(attribute: attrs.Attribute[Any]) -> Any:
        def structure(value: Any, expected: Any) -> Any:
            result = converter.structure(value, expected)
            if attribute.validator is not None:
                attribute.validator(None, attribute, result)
            return result

        return override(struct_hook=structure)

    hooks = {attribute.name: hook_for(attribute) for attribute in attrs.fields(kind)}
    return make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True, **hooks
    )


def invalid(source: str, faults: tuple[FieldFault, ...]) -> ConfigInvalid:
    """The error that names all faults of a file."""
    many = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
    return ConfigInvalid(
        f"{source} has {many}", hint="mend each line named above and try again", faults=faults
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"must be a text in quotes, is {value!r}")
    return value


def _number(value: Any, kinds: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise TypeError(f"must be a number, is {value!r}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"must be true or false, is {value!r}")
    return value


def _faults(error: BaseException, text: str) -> list[FieldFault]:
    faults = []
    for message in cattrs.transform_error(error, format_exception=_plain):
        problem, _, path = message.rpartition(" @ $")
        keys = [a or b or c for a, b, c in _PATH_STEP.findall(path)]
        faults += _one_per_key(problem, keys, text)
    return sorted(faults, key=lambda fault: (fault.line or 0, fault.where))


def _one_per_key(problem: str, keys: list[str], text: str) -> list[FieldFault]:
    extra = re.match(r"extra fields found \((.*)\)", problem)
    if extra:
        names = [name.strip() for name in extra[1].split(",")]
        return [
            FieldFault(".".join([*keys, name]), "is not a known key", line_of(text, [*keys, name]))
            for name in names
        ]
    named = re.match(r"'(\w+)' (must .*)", problem)  # an attrs validator names the attribute in its text
    if named:
        keys, problem = keys if keys[-1:] == [named[1]] else [*keys, named[1]], named[2]
    return [FieldFault(".".join(keys) or "file", problem, line_of(text, keys))]


def _plain(error: BaseException, kind: type | None) -> str:
    if isinstance(error, KeyError):
        return "is required"
    if isinstance(error, (TypeError, ValueError)):
        return str(error.args[0]) if error.args else str(error)
    return format_exception(error, kind)


def line_of(text: str, keys: list[str]) -> int | None:
    """The line (from 1) on which the dotted key is set; of its table's header if it is missing there."""
    best: tuple[int, int] | None = None
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line)
        if header:
            table = [part.strip().strip("\"'") for part in header[2].split(".")]
            if header[1] == "[[":
                name = ".".join(table)
                table.append(str(counts.get(name, 0)))
                counts[name] = counts.get(name, 0) + 1
            here = table
        else:
            key = re.match(r"\s*([\w\"'.-]+)\s*=", line)
            here = [*table, *(part.strip("\"'") for part in key[1].split("."))] if key else []
        depth = len(here)
        if here and here == keys[:depth] and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None

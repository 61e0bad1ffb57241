"""The CEL engine, and the only place that loads it. Import this module late, from where it is used.

`import cel` would bring a command line with it (0.7 s, 30 MiB), so only its extension is loaded (18 ms, 4 MiB). It can
not be loaded twice in one process; that a module is imported once, whichever thread comes first, sees to it.
"""

from __future__ import annotations

from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType

    import cel


def _load() -> ModuleType:
    package = PathFinder.find_spec("cel")
    places = package.submodule_search_locations if package else None
    spec = PathFinder.find_spec("cel.cel", places)
    if spec is None or spec.loader is None:
        raise ImportError("the CEL engine is not installed (common-expression-language)")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_engine = _load()


def compiled(expression: str) -> cel.Program:
    """A program to be run many times; ValueError if the expression is no CEL."""
    return cast("cel.Program", _engine.compile(expression))


def context() -> cel.Context:
    """What programs are run with. Fill it and use it in one thread."""
    return cast("cel.Context", _engine.Context())

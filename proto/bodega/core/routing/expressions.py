"""One expression of a bundle: compiled once, checked as far as it can be without a question, run many times.

CEL's core profile, less what is not bounded or not the same everywhere: no regular expressions, no clock, one
comprehension at most (one inside another takes hours). `node.kind` becomes one variable, so that an unknown field is
found before the first order, and only the facts that a bundle looks at are worked out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, cast

from bodega.core.routing.facts import FACTS, Fact, Known
from bodega.core.routing.tables import Lookup
from bodega.core.routing.values import Values
from bodega.errors import FieldFault
from bodega.limits_hub import ROUTING_EXPRESSION_CHARS_MAX

if TYPE_CHECKING:
    import cel

FUNCTIONS = frozenset({"size", "contains", "startsWith", "endsWith", "double", "int", "string"})
CONDITION = "true or false"
NUMBER = "a number"
_TYPES = {CONDITION: (bool,), NUMBER: (int, float)}

# What a run may raise, all of it because of the values that it met.
_RUN_ERRORS = (TypeError, LookupError, ValueError, ArithmeticError, RuntimeError)
_STRING = r"\"[^\"]*\"|'[^']*'"
_FIELD = re.compile(rf"(?P<string>{_STRING})|(?<![\w.])(?P<scope>{'|'.join(FACTS)})\s*\.\s*(?P<field>\w+)")
_TRUTH = {"true": True, "false": False}
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,15})?")
_COMPREHENSION = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,")


class RuleFailed(Exception):
    """An expression that has no answer for these values: a missing key, a division by zero, another type."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled expression. `scopes`: what it looks at; `facts` by the name of their variables.

    One that says a `constant`, or no more than one fact (`single`, the name of its variable), runs without the engine.
    One with faults has no program; it stands in for itself until all faults are named, and never runs.
    """

    where: str
    source: str
    want: str
    program: cel.Program | None
    facts: Mapping[str, Fact]
    scopes: frozenset[str]
    constant: bool | float | None = None
    single: str = ""

    def holds(self, values: Values) -> bool:
        """The answer of a condition. Raises RuleFailed."""
        return self.answer(values) is True

    def number(self, values: Values) -> float:
        """The answer of a number, finite. Raises RuleFailed."""
        return float(self.answer(values))

    def answer(self, values: Values) -> bool | int | float:
        """What it says, of the type that is wanted. Raises RuleFailed."""
        if self.constant is not None:
            return self.constant
        answer = values[self.single] if self.single else self._run(values)
        if type(answer) in _TYPES[self.want]:
            if isfinite(cast("float", answer)):
                return cast("float", answer)
            raise RuleFailed(self.where, "has no finite answer") from ArithmeticError()
        raise RuleFailed(self.where, f"must be {self.want}, is {ascii(answer)[:60]}")

    def _run(self, values: Values) -> object:
        assert self.program is not None, f"{self.where} has faults"
        try:
            return self.program.execute(values.context)
        except _RUN_ERRORS as error:
            raise RuleFailed(self.where, _plainly(error)) from error


def _plainly(error: Exception) -> str:
    """The engine's message without its advice to programmers; a key that is not there is all that it says."""
    said = f"there is no key {error}" if isinstance(error, KeyError) else str(error)
    return re.split(r"\. |\n|: the operation", said, maxsplit=1)[0][:160]


class Compiler:
    """Compiles the expressions of one bundle; `faults` gathers what is wrong with them."""

    def __init__(self, tables: Mapping[str, Lookup], faults: list[FieldFault]) -> None:
        self.tables = tables
        self.faults = faults

    def rule(self, where: str, source: str, want: str, scopes: Collection[str], *, late: bool = True) -> Rule:
        """The rule; without a program if it has faults. `late`: may it look at facts that stock has a part in?"""
        facts: dict[str, Fact] = {}
        problems = [*_misspelt(source)] or [*_fields(source, scopes, late=late, facts=facts)]
        program = None if problems else self._program(source, facts, problems)
        seen = frozenset(found["scope"] for found in _FIELD.finditer(source) if found["scope"])
        constant, single = _without_engine(source, want) if program and not problems else (None, "")
        rule = Rule(where, source, want, program, facts, seen, constant, single)
        if program is not None and not problems:
            problems += self._tried(rule)
        self.faults += (FieldFault(where, problem) for problem in dict.fromkeys(problems))
        return rule

    @staticmethod
    def judged_first(source: str) -> bool:
        """Whether an expression is judged for items or offers, before the node itself is."""
        return any(found["scope"] in ("item", "offer") for found in _FIELD.finditer(source))

    def _program(self, source: str, facts: Mapping[str, Fact], problems: list[str]) -> cel.Program | None:
        from bodega.core.routing import cel_engine  # noqa: PLC0415 - a node that routes nothing never loads it

        try:
            program = cel_engine.compiled(_FIELD.sub(_variable, source))
        except ValueError as error:
            problems.append(f"is not CEL: {_syntax(error)}")
            return None
        used = program.references()
        names = {*facts, *_COMPREHENSION.findall(_without_strings(source))}
        functions = FUNCTIONS | self.tables.keys()
        problems += (
            f"unknown name '{name}'; there are the fields of {', '.join(FACTS)}"
            for name in used["variables"]
            if name not in names
        )
        problems += (
            f"unknown function '{name}'; there are {', '.join(sorted(functions))}"
            for name in used["functions"]
            if name.isidentifier() and name not in functions
        )
        return program

    def _tried(self, rule: Rule) -> Iterator[str]:
        """Run with the examples of its facts: what goes wrong because of a type, or whatever the values, is a fault."""
        miscalled: list[str] = []
        failures: list[RuleFailed] = []
        for number in range(2):
            values = Values({name: _counted(name, table, miscalled) for name, table in self.tables.items()})
            values.set({name: fact.examples[number] for name, fact in rule.facts.items()})
            try:
                rule.answer(values)
            except RuleFailed as failed:
                failures.append(failed)
        yield from miscalled
        for failure in failures:
            cause = failure.__cause__
            always = len(failures) == 2 and not isinstance(cause, LookupError)
            if always or cause is None or isinstance(cause, TypeError):
                yield failure.problem


def _counted(name: str, table: Lookup, miscalled: list[str]) -> Callable[..., Known]:
    """The table, noting where it is given more keys or fewer than it has."""

    def look(*keys: Known) -> Known:
        if len(keys) != table.keys:
            miscalled.append(f"{name}() has {table.keys} keys, is given {len(keys)}")
        return table(*keys)

    return look


def _misspelt(source: str) -> Iterator[str]:
    if not source or len(source) > ROUTING_EXPRESSION_CHARS_MAX:
        yield f"must have 1 to {ROUTING_EXPRESSION_CHARS_MAX} characters, has {len(source)}"
    if "\\" in source or '"""' in source or "'''" in source:
        yield "must do without backslashes and triple quotes"
    if len(_COMPREHENSION.findall(_without_strings(source))) > 1:
        yield "has more than one comprehension (all, exists, exists_one, map, filter)"


def _fields(source: str, scopes: Collection[str], *, late: bool, facts: dict[str, Fact]) -> Iterator[str]:
    """Fills `facts` by variable; says which fields are not there, or not to be looked at here."""
    if {"item", "offer"} <= {found["scope"] for found in _FIELD.finditer(source)}:
        yield "looks at item and at offer; make two rules of it"
    for found in _FIELD.finditer(source):
        scope, name = found["scope"], found["field"]
        if scope is None:
            continue
        fact = FACTS[scope].get(name)
        if scope not in scopes:
            yield f"may not look at {scope} here, only at {', '.join(scopes)}"
        elif fact is None:
            near = get_close_matches(name, FACTS[scope], n=1)
            meant = f"did you mean {scope}.{near[0]}?" if near else f"there are {', '.join(FACTS[scope])}"
            yield f"unknown field {scope}.{name}; {meant}"
        elif fact.late and not late:
            yield f"may not look at {scope}.{name} here: it follows from what this decides"
        else:
            facts[f"{scope}_{name}"] = fact


def _without_engine(source: str, want: str) -> tuple[bool | float | None, str]:
    """The constant that an expression is, or else the variable of the fact that it is; nothing of any other."""
    said = source.strip()
    if want == CONDITION and said in _TRUTH:
        return _TRUTH[said], ""
    if want == NUMBER and _NUMBER.fullmatch(said):
        return float(said), ""
    fact = _FIELD.fullmatch(said)
    return None, _variable(fact) if fact and fact["scope"] else ""


def _variable(found: re.Match[str]) -> str:
    return found["string"] or f"{found['scope']}_{found['field']}"


def _without_strings(source: str) -> str:
    return re.sub(_STRING, "''", source)


def _syntax(error: ValueError) -> str:
    found = re.search(r"<input>:1:(\d+): (?:Syntax error: )?([^\n]*)", str(error))
    if found is None:
        return str(error)[:120]
    said = found[2].partition(" expecting ")[0].replace("mismatched input '<EOF>'", "it ends too early")
    return f"at character {found[1]}: {said[:120]}"

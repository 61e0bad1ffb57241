"""Whatever comes as a command: it is done, or refused by one of our errors with nothing written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega.core.commands import SHAPES, decode
from bodega.errors import BodegaError, InvalidInput
from support.command_bodies import PHYSICAL, PROMISES
from support.small_ledger import SmallLedger, stocked

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 10**6 + 1, 2**63, -(2**70), 10**4000, 1.0, float("nan"), float("inf")]),
    st.floats(),
    st.text(max_size=80),
    st.sampled_from(
        ["", " ", "3", "\x00", "a\x00b", "\ud800", "\u202e", "x" * 1000, "DOCK", "PLAIN", "STAGE-"]
    ),
    st.text(st.characters(categories=["Cs", "Cc", "Cf"]), min_size=1, max_size=5),
)
ANY_JSON = st.recursive(
    STRANGE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.text(max_size=10), st.sampled_from(["sku_id", "quantity"])), inner, max_size=4
        ),
    ),
    max_leaves=12,
)
FIELDS = sorted(
    {field.name for shape in SHAPES.values() for field in (*shape.fields, *shape.line)}
    | {"cmd_id", "lines", "parts", "becomes", "close", "command"}
)
WELL_FORMED = st.one_of(*PHYSICAL.values(), *PROMISES.values())
SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def ledger() -> Iterator[SmallLedger]:
    with (
        tempfile.TemporaryDirectory(prefix="bodega-fuzz-") as folder,
        tempfile.TemporaryDirectory() as template,
    ):
        opened = stocked(Path(folder), Path(template))
        opened.do({"command": "receive", "cmd_id": "first", "sku_id": "PLAIN", "quantity": 5})
        yield opened
        opened.close()


def everything(ledger: SmallLedger) -> list[Any]:
    tables = [
        row[0] for row in ledger.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    ]
    return [ledger.rows(f"SELECT * FROM {table}") for table in tables]  # our own table names


def refusal_of(work: Callable[[object], object], thing: object) -> BodegaError | None:
    """The error of ours that it ended with; None if it was done. Any other exception is a bug, and fails the test."""
    try:
        work(thing)
    except BodegaError as error:
        return error
    return None


def check_done_or_nothing_written(ledger: SmallLedger, thing: object) -> None:
    before, head = everything(ledger), ledger.tx.head
    refusal = refusal_of(ledger.do, thing)
    if refusal is not None:
        assert refusal.message
        assert (everything(ledger), ledger.tx.head) == (before, head)


@SETTINGS
@given(thing=ANY_JSON)
def test_any_json_is_a_command_or_refused_with_what_to_do(thing: object) -> None:
    refusal = refusal_of(decode, thing)
    assert refusal is None or (isinstance(refusal, InvalidInput) and refusal.hint)


@SETTINGS
@given(
    command=st.sampled_from(sorted(SHAPES)),
    fields=st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=6),
)
def test_a_command_with_strange_fields_is_refused_and_writes_nothing(
    ledger: SmallLedger, command: str, fields: dict[str, object]
) -> None:
    check_done_or_nothing_written(ledger, {"cmd_id": "fuzz", **fields, "command": command})


@SETTINGS
@given(body=WELL_FORMED, name=st.sampled_from(FIELDS), value=ANY_JSON, number=st.integers(0, 10**9))
def test_a_right_command_with_one_field_spoilt_is_done_or_writes_nothing(
    ledger: SmallLedger, body: dict[str, object], name: str, value: object, number: int
) -> None:
    check_done_or_nothing_written(ledger, {**body, "cmd_id": f"fuzz-{number}", name: value})


@SETTINGS
@given(body=WELL_FORMED, data=st.data(), value=STRANGE, number=st.integers(0, 10**9))
def test_a_right_command_with_goods_spoilt_inside_is_done_or_writes_nothing(
    ledger: SmallLedger, body: dict[str, Any], data: st.DataObject, value: object, number: int
) -> None:
    lines = body.get("lines") or body.get("parts") or [body.get("becomes") or body]
    spoilt = data.draw(st.sampled_from(lines))
    before = dict(spoilt)
    spoilt[data.draw(st.sampled_from(FIELDS))] = value
    check_done_or_nothing_written(ledger, {**body, "cmd_id": f"inside-{number}"})
    spoilt.clear()
    spoilt.update(before)

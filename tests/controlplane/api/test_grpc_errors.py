"""The one table of errors on gRPC: what a family becomes on the wire, and that it comes back as itself."""

from __future__ import annotations

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.broker.rpc_errors import FAULT_KEY, LEFT_OUT_KEY, from_status, to_status
from bodega.errors import OUTCOMES, BodegaError, FieldFault, Refused, outcome_of
from bodega.limits import FAULT_METADATA_BYTES_MAX


@pytest.mark.parametrize("family", OUTCOMES)
def test_each_family_comes_back_as_itself_with_its_exit_code(family: type[BodegaError]) -> None:
    error = family("what and where", hint="what next")
    back = from_status(*to_status(error))
    assert (type(back), back.message, back.hint, back.code) == (family, error.message, error.hint, error.code)
    assert outcome_of(back).exit == outcome_of(error).exit


def test_a_finer_code_keeps_its_family() -> None:
    back = from_status(*to_status(Refused("no", code="insufficient-stock")))
    assert (type(back), back.code) == (Refused, "insufficient-stock")


@given(
    st.text(max_size=400),
    st.lists(
        st.tuples(st.text(max_size=30), st.text(max_size=60), st.none() | st.integers(1, 9)), max_size=5
    ),
)
def test_any_hint_and_any_fault_survive_as_printable_ascii(
    hint: str, rows: list[tuple[str, str, int | None]]
) -> None:
    faults = tuple(FieldFault(*row) for row in rows)
    error = BodegaError("m", hint=hint, faults=faults)
    status, message, trailers = to_status(error)
    for key, value in trailers:
        assert value.isascii(), key
        assert value.isprintable(), key
    back = from_status(status, message, trailers)
    assert back.faults == faults
    assert back.hint == hint.encode(errors="replace").decode()


def test_many_faults_fit_into_the_bound_and_the_rest_is_counted() -> None:
    faults = tuple(FieldFault(f"skus[{number}].gtins[0]", "x" * 80) for number in range(1_000))
    status, message, trailers = to_status(BodegaError("m", faults=faults))
    sent = [value for key, value in trailers if key == FAULT_KEY]
    assert sum(map(len, sent)) <= FAULT_METADATA_BYTES_MAX
    assert int(dict(trailers)[LEFT_OUT_KEY]) == len(faults) - len(sent)
    assert from_status(status, message, trailers).faults[-1].problem == f"and {len(faults) - len(sent)} more"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (grpc.StatusCode.UNAVAILABLE, "unavailable"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "unavailable"),
        (grpc.StatusCode.UNIMPLEMENTED, "peer-fault"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "invalid-input"),
        (grpc.StatusCode.UNKNOWN, "internal"),
    ],
)
def test_a_status_that_is_not_ours_still_has_a_family(status: grpc.StatusCode, code: str) -> None:
    assert from_status(status, "m", ()).code == code


def test_a_fault_in_another_shape_is_shown_as_it_came() -> None:
    back = from_status(grpc.StatusCode.INVALID_ARGUMENT, "m", ((FAULT_KEY, "[1]"), (FAULT_KEY, "oops")))
    assert [fault.problem for fault in back.faults] == ["[1]", "oops"]

"""Parcel numbers from the node's own range: in order, with a right check digit, never one too many."""

from __future__ import annotations

import pytest

from bodega.errors import Refused
from bodega_adapters.framing.check_digit import is_valid_sscc
from bodega_agent.rules.floor.pack.sscc import SsccRange, next_sscc

NUMBERS = SsccRange(extension=3, company_prefix="9526064", first_serial=7, last_serial=9)


def test_the_range_is_given_out_in_order_from_first_to_last():
    last, given = None, []
    for _ in range(3):
        sscc, last = next_sscc(NUMBERS, last)
        assert is_valid_sscc(sscc)
        given.append((sscc[:-1], last))
    assert given == [("39526064000000007", 7), ("39526064000000008", 8), ("39526064000000009", 9)]


def test_a_used_up_range_is_refused_with_what_to_do():
    with pytest.raises(Refused, match="up to serial 9") as raised:
        next_sscc(NUMBERS, 9)
    assert "bodegactl nodes register" in raised.value.hint


def test_a_new_range_above_the_old_one_starts_at_its_first_number():
    assert next_sscc(NUMBERS, 3)[1] == 7

"""Prices are shown with as many digits as their currency has."""

from __future__ import annotations

import pytest

from bodega.core.money import text_of


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (390, "EUR", "3.90 EUR"),
        (5, "USD", "0.05 USD"),
        (390, "JPY", "390 JPY"),
        (1005, "KWD", "1.005 KWD"),
        (-250, "EUR", "-2.50 EUR"),
        (0, "", "0.00"),
    ],
)
def test_a_price_is_read_as_its_currency_is_written(minor: int, currency: str, text: str) -> None:
    assert text_of(minor, currency) == text

"""Unknown rather than guess: only a readable GTIN makes a pass or a fail."""

from __future__ import annotations

import pytest

from bodega_agent.vision.judge import Thresholds, judge_codes, judge_quality

PEN = "04006381333931"
CARTON_OF_PENS = "14006381333938"
SOAP = "00036000291452"
GOOD = {"luminance_mean": 120.0, "sharpness": 500.0, "dark_share": 0.1, "bright_share": 0.1}


@pytest.mark.parametrize(
    ("expected", "seen", "outcome", "code"),
    [
        ((PEN,), (PEN,), "pass", "expected_item"),
        ((PEN, CARTON_OF_PENS), (CARTON_OF_PENS,), "pass", "expected_item"),
        ((PEN, CARTON_OF_PENS), (PEN, CARTON_OF_PENS), "pass", "expected_item"),
        ((PEN,), (PEN, "?A-01-02"), "pass", "expected_item"),
        ((PEN,), (SOAP,), "fail", "other_item"),
        ((PEN,), (SOAP, "?http://example.com"), "fail", "other_item"),
        ((PEN,), (PEN, SOAP), "review", "extra_item"),
        ((PEN,), ("?A-01-02",), "review", "no_gtin"),
        ((PEN,), (), "review", "no_code"),
        ((), (PEN,), "review", "no_expectation"),
        ((), (), "review", "no_expectation"),
    ],
)
def test_the_table_of_codes(expected, seen, outcome, code):
    said, reasons = judge_codes(expected, seen)
    assert said == outcome
    assert [why.partition(":")[0] for why in reasons] == [code]


def test_a_fail_names_what_was_seen_and_what_was_expected():
    _, (why,) = judge_codes((PEN,), (SOAP,))
    assert SOAP in why
    assert PEN in why


@pytest.mark.parametrize(
    ("scores", "codes"),
    [
        ({}, []),
        ({"luminance_mean": 25.0}, []),
        ({"luminance_mean": 24.9}, ["too_dark"]),
        ({"dark_share": 0.86}, ["too_dark"]),
        ({"luminance_mean": 235.0}, []),
        ({"luminance_mean": 235.1}, ["too_bright"]),
        ({"bright_share": 0.86}, ["too_bright"]),
        ({"sharpness": 30.0}, []),
        ({"sharpness": 29.9}, ["blurred"]),
        # A frame without light has no detail either; the light is what to mend.
        ({"luminance_mean": 3.0, "sharpness": 1.0}, ["too_dark"]),
    ],
)
def test_the_edges_of_frame_quality(scores, codes):
    assert [why.partition(":")[0] for why in judge_quality(GOOD | scores, Thresholds())] == codes

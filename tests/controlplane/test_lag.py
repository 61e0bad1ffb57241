"""Lag in seconds is honest: silence is never zero, and a node in touch with nothing to send has none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.node_text import lag_text, paused_text, stock_text
from bodega_controlplane.rules.lag import SILENT_AFTER_MS, Lag, lag_of

NOW_MS = 1_700_000_000_000


def lag(*, since_ms: int, head: int = 10, applied: int = 10, oldest_ms: int = 0) -> Lag:
    return lag_of(
        now_ms=NOW_MS,
        last_contact_ms=NOW_MS - since_ms,
        head_seq=head,
        applied_seq=applied,
        oldest_unacked_ms=oldest_ms,
    )


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (lag(since_ms=1_000), Lag(0, silent=False)),
        (lag(since_ms=1_000, head=12, oldest_ms=4_000), Lag(5_000, silent=False)),
        (lag(since_ms=SILENT_AFTER_MS), Lag(0, silent=False)),
        (lag(since_ms=SILENT_AFTER_MS + 1), Lag(SILENT_AFTER_MS + 1, silent=True)),
        (lag(since_ms=3_600_000, head=12, oldest_ms=4_000), Lag(3_604_000, silent=True)),
        (lag(since_ms=1_000, head=12, applied=12, oldest_ms=4_000), Lag(0, silent=False)),
        (lag(since_ms=NOW_MS), Lag(0, silent=True)),
        (lag(since_ms=-5_000, head=12, oldest_ms=4_000), Lag(4_000, silent=False)),
    ],
)
def test_each_situation_has_its_lag(story: Lag, expected: Lag) -> None:
    assert story == expected


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(0, 5), st.integers(0, 10**9))
def test_a_node_that_stays_silent_never_looks_better(
    first_ms: int, more_ms: int, behind: int, oldest_ms: int
) -> None:
    before = lag(since_ms=first_ms, head=10 + behind, oldest_ms=oldest_ms)
    after = lag(since_ms=first_ms + more_ms, head=10 + behind, oldest_ms=oldest_ms)
    assert after.ms >= before.ms
    assert after.silent >= before.silent


def test_what_operators_read() -> None:
    assert lag_text(pb.NodeStatus()) == "unknown"
    assert lag_text(pb.NodeStatus(last_contact_ms=1, lag_ms=12_000)) == "12 s"
    assert lag_text(pb.NodeStatus(last_contact_ms=1, lag_ms=7_200_000, silent=True)) == "up to 2 h"
    assert paused_text(pb.NodeStatus(paused_at_ms=1_000)) == "paused at the node since 1970-01-01 00:00:01Z"
    assert stock_text(pb.NodeStatus()) == "agrees"
    one = pb.Divergence(divergence_id="DIV-1", state="counting", sku_ids=list("ABCDEFG"), counts_open=9)
    assert stock_text(pb.NodeStatus(diverged_seq=4, divergence=one)) == (
        "differs from the node's at event 4; DIV-1: the node counts; A, B, C, D, E and 2 more (9 counts open)"
    )

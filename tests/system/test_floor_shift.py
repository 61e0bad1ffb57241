"""A whole shift of eight people at one node, as a user runs it: `bodega demo --nodes 1 --associates 8`.

Eight seeded associates work through pseudo-terminals against the real agent, beside a real broker and a real centre:
people sign in, goods come in, some of them broken, and are put away, orders are picked, packed, labelled and handed
over, with wrong scans, empty shelves, cancelled orders, a printer in trouble, the WAN cut and the agent killed. At the
end hands, printers, both books, the broker and the API are held against each other (`bodega_agent.demo.invariants`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.long_run import by_length

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

ASSOCIATES = 8
ORDERS = by_length(60, 500)
SEEDS = by_length((1,), (1, 2, 3))
LIMIT_S = 850


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shift_of_eight_ends_with_every_parcel_labelled_once_and_both_books_right(
    tmp_path: Path, seed: int
) -> None:
    wanted = ["--orders", str(ORDERS), "--nodes", "1", "--associates", str(ASSOCIATES), "--seed", str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "bodega_agent.cli", "demo", *wanted, "--json", "figures.json"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["broken"] == {}
    ended = sum(figures[f"orders_{how}"] for how in ("shipped", "cancelled", "short"))
    assert figures["orders_placed"] == ended == ORDERS
    nothing_wrong = ("oversold_units", "labels_double", "events_lost", "events_doubled")
    assert {key: figures[key] for key in nothing_wrong} == dict.fromkeys(nothing_wrong, 0)
    # What the shift is there for has happened.
    assert figures["wrong_scans"] >= ORDERS // 10
    assert figures["labels_asked_again"] >= 1, "a label was lost in mid-print"
    assert figures["orders_short"] >= 1
    assert figures["units_set_apart"] >= 1, "goods came in broken"
    assert figures["orders_cancelled"] >= 1
    assert figures["catchup_events"] >= 200, "the cut must leave a real backlog"
    assert figures["restart_ms"] > 0, "the agent was killed and came back"

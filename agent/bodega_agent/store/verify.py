"""`bodega ledger verify`: everything that can be checked of a ledger file, in one read snapshot."""

from __future__ import annotations

from typing import Any

import apsw

from bodega_agent.store.integrity import Fold, Trouble, compare, live_events, walk

Json = dict[str, Any]


def verify(connection: apsw.Connection) -> Json:
    """Walk the whole journal, and hold the tables against it.

    Returns {ok, events, first_bad_seq, balances_ok, problem}.
    """
    fold = Fold()
    with connection:
        bad = walk(live_events(connection, 0), fold)
        trouble = bad or compare(connection, fold)
    return _report(fold, trouble)


def _report(fold: Fold, trouble: Trouble | None) -> Json:
    event = trouble is not None and trouble.kind == "event"
    return {
        "ok": trouble is None,
        "events": fold.seq,
        "first_bad_seq": trouble.seq if trouble else None,
        "balances_ok": trouble is None or event,
        "problem": trouble.problem if trouble else "",
    }

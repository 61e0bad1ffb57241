"""The figures of a run, each counted from evidence. Pure.

| figure | what is counted |
|---|---|
| orders_placed | orders in the hub's database |
| orders_shipped, _cancelled | of these, in state shipped; cancelled |
| orders_short | of these, partially shipped, or unfulfillable because nothing was on the shelf |
| orders_refused | wishes that the API answered with 409 and that became no order |
| labels_printed, labels_double | labels that came out of the printers; those beyond the first of a parcel |
| labels_asked_again | print jobs beyond the first of a parcel: lost in mid-print, asked for by a person |
| wrong_scans | slips of the associates' hands; that each was refused is a rule |
| units_set_apart | units in the nodes' books that came in broken and are not to be sold |
| shift_ms | from the first step of an order at a node to the last one, at the node where that took longest |
| verdicts, verdicts_doubtful | what cameras said of picks, in the hub's database; those other than "pass" |
| oversold_units | see `tally.oversold_units` |
| events_total | events in the nodes' own journals |
| events_lost, events_doubled | see `tally.lost_events`, `tally.doubled_events` |
| lag_p50_ms, lag_p99_ms | commit at the hub minus record at the node, of events whose way met no outage |
| catchup_events | events recorded without a network that the hub committed only after the heal |
| catchup_events_per_s | these, by the seconds from the first bytes of the node after the heal to the last commit |
| reconnect_ms | from the heal to the first bytes of the node that come through |
| restart_ms | from SIGKILL to the first bytes of the restarted agent that come through |
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bodega.core.ledger import Disposition
from bodega_agent.demo import tally
from bodega_agent.demo.evidence import Evidence, Row
from bodega_agent.demo.proxy import Outage


@dataclass(frozen=True, slots=True)
class Figures:
    """See the table in the module's text. Times in milliseconds of wall clock."""

    orders_placed: int
    orders_shipped: int
    orders_cancelled: int
    orders_short: int
    orders_refused: int
    labels_printed: int
    labels_double: int
    labels_asked_again: int
    wrong_scans: int
    units_set_apart: int
    shift_ms: int
    verdicts: int
    verdicts_doubtful: int
    oversold_units: int
    events_total: int
    events_lost: int
    events_doubled: int
    lag_p50_ms: int
    lag_p99_ms: int
    catchup_events: int
    catchup_events_per_s: int
    reconnect_ms: int
    restart_ms: int
    conflicts: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def figures_of(evidence: Evidence) -> Figures:
    """Count everything."""
    centre = evidence.centre
    states = [order.state for order in centre.orders]
    lags = sorted(
        lag
        for site in evidence.sites
        for lag in _lags(centre.journals[site.node_id], (*site.cuts, *site.deaths))
    )
    backlog = [
        back for site in evidence.sites for back in _backlogs(centre.journals[site.node_id], site.cuts)
    ]
    caught_up_ms = sum(ms for _, ms in backlog)
    caught_up = sum(events for events, _ in backlog)
    return Figures(
        orders_placed=len(states),
        orders_shipped=states.count("shipped"),
        orders_cancelled=states.count("cancelled"),
        orders_short=states.count("partially_shipped") + states.count("unfulfillable"),
        orders_refused=sum(1 for receipt in evidence.till.receipts if not receipt.order_id),
        labels_printed=sum(len(site.floor.labels) for site in evidence.sites),
        labels_double=sum(tally.double_labels(evidence).values()),
        labels_asked_again=sum(site.ledger.labels_asked_again for site in evidence.sites),
        wrong_scans=sum(site.floor.wrong_scans for site in evidence.sites),
        units_set_apart=sum(
            quantity
            for site in evidence.sites
            for account, quantity in site.ledger.balances.items()
            if account.disposition == Disposition.DAMAGED
        ),
        shift_ms=max((_shift_ms(site.ledger.journal) for site in evidence.sites), default=0),
        verdicts=sum(centre.verdicts.values()),
        verdicts_doubtful=sum(many for outcome, many in centre.verdicts.items() if outcome != "pass"),
        oversold_units=sum(tally.oversold_units(evidence).values()),
        events_total=sum(len(site.ledger.journal) for site in evidence.sites),
        events_lost=sum(
            len(tally.lost_events(site.ledger, centre.journals[site.node_id])) for site in evidence.sites
        ),
        events_doubled=sum(
            len(tally.doubled_events(site.ledger, centre.journals[site.node_id])) for site in evidence.sites
        ),
        lag_p50_ms=percentile(lags, 50),
        lag_p99_ms=percentile(lags, 99),
        catchup_events=caught_up,
        catchup_events_per_s=round(caught_up * 1000 / caught_up_ms) if caught_up_ms else 0,
        reconnect_ms=max(
            (_since(cut.healed_ms, cut) for site in evidence.sites for cut in site.cuts), default=0
        ),
        restart_ms=max(
            (_since(death.began_ms, death) for site in evidence.sites for death in site.deaths), default=0
        ),
        conflicts=sum(centre.conflicts.values()),
    )


def percentile(values: Sequence[int], percent: int) -> int:
    """Nearest-rank percentile of sorted values; 0 for none."""
    return values[max(0, math.ceil(len(values) * percent / 100) - 1)] if values else 0


def _shift_ms(journal: Sequence[Row]) -> int:
    steps = [row.at_ms for row in journal if row.fact == "fulfillment_advanced"]
    return steps[-1] - steps[0] if steps else 0


def _lags(journal: Sequence[Row], outages: Sequence[Outage]) -> list[int]:
    return [
        max(0, row.committed_ms - row.at_ms)
        for row in journal
        if not any(row.at_ms <= _end(outage) and row.committed_ms >= outage.began_ms for outage in outages)
    ]


def _backlogs(journal: Sequence[Row], cuts: Sequence[Outage]) -> list[tuple[int, int]]:
    """Events and milliseconds of catching up, for each cut."""
    found = []
    for cut in cuts:
        waiting = [row.committed_ms for row in journal if row.at_ms < _end(cut) <= row.committed_ms]
        if waiting:
            found.append((len(waiting), max(1, max(waiting) - _end(cut))))
    return found


def _end(outage: Outage) -> int:
    """When sync was possible again; an outage without an end lasts for ever."""
    return outage.used_ms if outage.used_ms is not None else 2**63


def _since(moment_ms: int | None, outage: Outage) -> int:
    return outage.used_ms - moment_ms if outage.used_ms is not None and moment_ms is not None else 0

"""Rules about sync: what a node recorded is at the centre, once, in order and unchanged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bodega.core.chain import GENESIS, extend
from bodega.core.sync import Envelope
from bodega_agent.demo import tally
from bodega_agent.demo.evidence import Evidence, Row

Breaches = list[str]


def heads_agree(evidence: Evidence) -> Breaches:
    """Each node and the centre have all of each other's events."""
    broken = []
    centre = evidence.centre
    for site in evidence.sites:
        node_id = site.node_id
        head = site.ledger.journal[-1].seq if site.ledger.journal else 0
        down = centre.down_logs.get(node_id, ())
        down_head = down[-1].seq if down else 0
        up = (head, site.ledger.acked_seq, centre.applied_seq.get(node_id, 0))
        if len(set(up)) > 1:
            broken.append(
                f"{node_id} up: recorded {up[0]}, acknowledged {up[1]}, applied at the centre {up[2]}"
            )
        if down_head != site.ledger.down_seq:
            broken.append(f"{node_id} down: the hub has {down_head}, the node applied {site.ledger.down_seq}")
        # The centre learns of it with the next heartbeat, so it may know less, but never more.
        if centre.down_applied_seq.get(node_id, 0) > site.ledger.down_seq:
            broken.append(f"{node_id} down: the centre believes in more than the node has applied")
    if centre.refused_envelopes:
        broken.append(f"the centre refused {centre.refused_envelopes} envelopes")
    return broken


def no_event_is_lost(evidence: Evidence) -> Breaches:
    """No event is lost: not in the cut, not by the kill, not on the way."""
    return [
        f"{site.node_id}: {said}"
        for site in evidence.sites
        for said in tally.lost_events(site.ledger, evidence.centre.journals.get(site.node_id, ()))
    ]


def no_event_is_doubled(evidence: Evidence) -> Breaches:
    """No event is at the centre twice."""
    return [
        f"{site.node_id}: {said}"
        for site in evidence.sites
        for said in tally.doubled_events(site.ledger, evidence.centre.journals.get(site.node_id, ()))
    ]


def chains_verify(evidence: Evidence) -> Breaches:
    """Every journal is unbroken: no gap, and each hash follows from the one before."""
    broken = []
    for site in evidence.sites:
        broken += _chain(f"{site.node_id}, own journal", site.ledger.journal)
        broken += _chain(
            f"{site.node_id}, journal at the centre", evidence.centre.journals.get(site.node_id, ())
        )
        broken += _chain(f"{site.node_id}, hub's stream", evidence.centre.down_logs.get(site.node_id, ()))
        if not site.ledger.verified:
            broken.append(f"{site.node_id}: the agent's own check of its ledger fails")
    return broken


def _chain(what: str, rows: Sequence[Row]) -> Breaches:
    if [row.seq for row in rows] != list(range(1, len(rows) + 1)):
        return [f"{what}: its sequence has gaps"]
    wrong = [
        row.seq
        for row, expected in zip(rows, extend(GENESIS, (row.body for row in rows)), strict=True)
        if row.hash != expected
    ]
    return [f"{what}: event {wrong[0]} does not hash to what was recorded"] if wrong else []


def the_broker_carried_the_record(evidence: Evidence) -> Breaches:
    """What the broker carried is what was recorded, byte for byte and from the first event on."""
    broken = []
    for site in evidence.sites:
        node_id = site.node_id
        broken += _carried(f"{node_id} up", evidence.wire.up, node_id, site.ledger.journal)
        down_log = evidence.centre.down_logs.get(node_id, ())
        broken += _carried(f"{node_id} down", evidence.wire.down, node_id, down_log)
    return broken


def _carried(
    what: str, streams: Mapping[str, Iterable[Envelope]], node_id: str, rows: Sequence[Row]
) -> Breaches:
    recorded = {(row.epoch, row.seq): row.body for row in rows}
    seen: set[tuple[int, int]] = set()
    broken = []
    for envelope in streams.get(node_id, ()):
        for seq, body in enumerate(envelope.events, start=envelope.first_seq):
            seen.add((envelope.epoch, seq))
            if recorded.get((envelope.epoch, seq)) != body:
                broken.append(f"{what}: event {envelope.epoch}/{seq} is not what was recorded")
    if missing := recorded.keys() - seen:
        broken.append(f"{what}: {len(missing)} recorded events were never sent, first {min(missing)}")
    return broken


def the_audit_trail_verifies(evidence: Evidence) -> Breaches:
    """The centre's audit trail is there and its chain verifies."""
    if not evidence.centre.audit_entries:
        return ["the audit trail is empty"]
    if evidence.centre.audit_first_bad_seq:
        return [f"line {evidence.centre.audit_first_bad_seq} of the audit trail breaks its chain"]
    return []


def everybody_stopped_in_time(evidence: Evidence) -> Breaches:
    """Every process stops by itself within five seconds of SIGTERM, with exit code 0."""
    return list(evidence.unclean_stops)

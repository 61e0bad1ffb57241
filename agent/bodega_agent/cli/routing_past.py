"""`bodega routing explain` and `replay`: what this node has decided alone, why, and whether it comes out again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bodega.core.routing.choice import Share
from bodega.core.routing.shapes import plain
from bodega.errors import IntegrityBroken, NotFound
from bodega.host.cli import emit_json, emit_table, json_option
from bodega.limits_floor import DECISIONS_ALONE_KEPT_MAX
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads.decisions import Kept, decisions_about, newest_decisions

# What was decided, and what a candidate is.
_WORDS = {
    "carrier": ("which carrier takes it", "node"),
    "pickup": ("whether this node promises it", "node"),
    "within_site": ("which shelf serves it", "shelf"),
}
_OUTCOMES = {
    "same": "come out as they were recorded, bit for bit",
    "differs": "come out otherwise",
    "not_recorded": "can not be made again",
}
_NEWEST_SHOWN = 10


@click.command("explain")
@click.argument("subject", metavar="[ORDER]", default="")
@config_option
@json_option
def explain(config_path: Path, *, subject: str, as_json: bool) -> None:
    """Say what this node has decided alone, and why: about an order, a fulfillment order or a reservation.

    Without a name: the last decisions. Reads the ledger file, so it works while the agent is down. The newest decisions
    of each kind are kept; those about a carrier go when their recipient is forgotten.

    \b
    Examples:
      bodega routing explain
      bodega routing explain FO-1
      bodega routing explain R-17 --json | jq '.decisions[].choice'

    JSON: {decisions: [{number, decision, subject, reason, at_ms, rule, digest, choice}]}, the newest first.
    """
    with ledger_of(config_path) as ledger:
        found = _found(ledger, subject, _NEWEST_SHOWN)
    if as_json:
        emit_json({"decisions": [_as_json(one) for one in found]})
        return
    if not found:
        click.echo("This node has decided nothing alone yet.")
    for number, one in enumerate(found):
        click.echo("\n" if number else "", nl=False)
        _tell(one)


def _found(ledger: Reader, subject: str, limit: int) -> list[Kept]:
    found = decisions_about(ledger, subject) if subject else newest_decisions(ledger, limit)
    if subject and not found:
        raise NotFound(
            f"about '{subject[:80]}' this node has decided nothing alone, or does not know it any more",
            hint="the last decisions: bodega routing explain; those of the hub: bodegactl routing explain ORDER",
        )
    return found


def _as_json(one: Kept) -> dict[str, Any]:
    return {
        "number": one.number,
        "decision": one.decision,
        "subject": one.subject,
        "reason": one.reason,
        "at_ms": one.at_ms,
        "rule": one.choice.rule,
        "digest": one.digest,
        "choice": plain(one.choice),
    }


def _tell(one: Kept) -> None:
    asked, candidate = _WORDS[one.decision]
    choice = one.choice
    why = f", because: {one.reason}" if one.reason else ""
    click.echo(f"#{one.number} {one.subject} at {utc(one.at_ms)}: {asked}{why}")
    stage = f", stage {choice.stage}" if choice.stage else ""
    click.echo(f"by {choice.rule} ({one.digest[:12]}){stage}: {_shares(one.decision, choice.shares)}")
    for note in choice.notes:
        click.echo(f"  {note.text}")
    click.echo("")
    chosen = {share.node_id for share in choice.shares}
    rows = [
        [
            row.node_id,
            "chosen" if row.node_id in chosen else "could" if row.eligible else "could not",
            " ".join(f"{name}={score:g}" for name, score in sorted(row.scores.items())) or "-",
            "; ".join(reason.text for reason in row.reasons),
        ]
        for row in choice.candidates
    ]
    emit_table([candidate, "serve", "scores", "why"], rows, empty=f"There was no {candidate}.")
    for line, units in sorted(choice.unserved.items()):
        click.echo(f"line {line}: {units} units are without")


def _shares(decision: str, shares: tuple[Share, ...]) -> str:
    if decision == "carrier":
        return " + ".join(share.service for share in shares) or "nobody"
    told = (f"{sum(share.quantities.values())} from {share.node_id}" for share in shares)
    return " + ".join(told) or "nobody"


@click.command("replay")
@click.argument("subject", metavar="[ORDER]", default="")
@config_option
@json_option
def replay(config_path: Path, *, subject: str, as_json: bool) -> None:
    """Make the node's own decisions again, one order's or all that are kept, and compare them bit for bit.

    Exit code 1 if one comes out otherwise: then program or record has been changed.

    \b
    Examples:
      bodega routing replay
      bodega routing replay FO-1

    JSON: {replays: [{number, decision, subject, outcome, detail}]}; outcome: same, differs, not_recorded.
    """
    with ledger_of(config_path) as ledger:
        found = _found(ledger, subject, len(_WORDS) * DECISIONS_ALONE_KEPT_MAX)
    replays = [(one, *one.again()) for one in found]
    if as_json:
        told = [
            {
                "number": one.number,
                "decision": one.decision,
                "subject": one.subject,
                "outcome": outcome,
                "detail": detail,
            }
            for one, outcome, detail in replays
        ]
        emit_json({"replays": told})
    else:
        outcomes = [outcome for _one, outcome, _detail in replays]
        counted = [f"{outcomes.count(name)} {words}" for name, words in _OUTCOMES.items() if name in outcomes]
        click.echo(f"{len(found)} decisions made again: {', '.join(counted) or 'none'}.")
        rows = [
            [f"#{one.number}", one.subject, outcome, detail]
            for one, outcome, detail in replays
            if outcome != "same"
        ]
        if rows:
            click.echo("")
            emit_table(["decision", "of", "outcome", "detail"], rows, empty="")
    differing = [one for one, outcome, _detail in replays if outcome == "differs"]
    if differing:
        raise IntegrityBroken(
            f"{len(differing)} of {len(found)} decisions come out otherwise than they were recorded",
            hint=f"look at one: bodega routing explain {differing[0].subject}",
        )

"""`bodegactl routing simulate|explain|replay`: decisions of the past, by other rules or again by their own."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from bodega.core.money import text_of
from bodega.errors import IntegrityBroken
from bodega.host.cli import emit_json, emit_table, json_option
from bodega.limits import PAGE_ROWS_MAX
from bodega.v1 import routing_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import Span
from bodega_controlplane.cli.files import read_text
from bodega_controlplane.cli.show import plain, plain_all, when

# Decisions a call: some seconds at most, also with slow rules.
_PAGE = 100
_CHANGES_SHOWN = 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Meant(NamedTuple):
    """What BUNDLE on the command line means: a document, or the name or digest of one that is kept."""

    document: bytes = b""
    bundle: str = ""


def meant(bundle: str) -> Meant:
    """A name or digest if it looks like one, else what is in the file. Raises NotFound, InvalidInput."""
    if _DIGEST.fullmatch(bundle) or ("@" in bundle and not Path(bundle).exists()):
        return Meant(bundle=bundle)
    return Meant(read_text(Path(bundle)).encode())


def _since_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--since",
        "back_ms",
        type=Span(),
        default=0,
        metavar="SPAN",
        help="Only decisions of the last 90m, 4h, 2d; else all.",
    )(command)


def _limit_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--limit", type=click.IntRange(min=1), default=10_000, show_default=True, help="The newest so many."
    )(command)


def _since_ms(back_ms: int) -> int:
    return int(time.time() * 1000) - back_ms if back_ms else 0


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """`show(done, total)` draws a bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(1, total)
            bar.update(done - bar.pos)

        yield show


@click.command("simulate")
@click.argument("bundle", metavar="BUNDLE")
@_since_option
@_limit_option
@json_option
@hub_command
def simulate(hub: HubClient, bundle: str, back_ms: int, limit: int, *, as_json: bool) -> None:
    """Put past orders to a bundle (a FILE, NAME@VERSION or digest) and show what would change.

    Each decision is made again from what it was made from: the same stock, the same offers, other rules. Nothing is
    written. Shown are cost, splits, parcels on time, and parcels by node, before and after.

    \b
    Examples:
      bodegactl routing simulate bundle.json
      bodegactl routing simulate nearest-with-floor@1 --since 7d --json

    JSON: {bundle, before, after, changes: [{decision_id, order_id, before, after}], left_out}; before and after:
    {decisions, unserved, splits, shares, cost_minor, on_time, late, unpriced, by_node}.
    """
    before, after = pb.RoutingTally(), pb.RoutingTally()
    changes: list[pb.RoutingChange] = []
    what = meant(bundle)
    request = pb.SimulateRoutingRequest(
        document=what.document, bundle=what.bundle, since_ms=_since_ms(back_ms)
    )
    done = total = left_out = 0
    with _progress("simulating") as show:
        while True:
            request.page_size = min(_PAGE, limit - done)
            answer = hub.call(hub.routing.SimulateRouting, request)
            total = total or min(answer.total, limit)
            _add(before, answer.before)
            _add(after, answer.after)
            changes += answer.changes
            left_out += answer.left_out
            done += answer.before.decisions + answer.left_out
            show(done, total)
            request.page_token = answer.next_page_token
            if not request.page_token or done >= limit:
                break
    if as_json:
        told = {"bundle": answer.bundle, "before": before, "after": after}
        emit_json(
            {name: plain(value) for name, value in told.items()}
            | {"changes": plain_all(changes), "left_out": left_out}
        )
        return
    _tell_simulation(answer.bundle.rule, before, after, changes, left_out)


def _add(to: pb.RoutingTally, more: pb.RoutingTally) -> None:
    for name in ("decisions", "unserved", "splits", "shares", "on_time", "late", "unpriced"):
        setattr(to, name, getattr(to, name) + getattr(more, name))
    for currency, minor in more.cost_minor.items():
        to.cost_minor[currency] += minor
    for node_id, shares in more.by_node.items():
        to.by_node[node_id] += shares


def _tell_simulation(
    rule: str,
    before: pb.RoutingTally,
    after: pb.RoutingTally,
    changes: list[pb.RoutingChange],
    left_out: int,
) -> None:
    if left_out:
        click.echo(f"{left_out} decisions are left out: they were erased, or can not be read.")
    click.echo(f"{rule} would change {len(changes)} of {before.decisions} decisions.\n")
    rows: list[list[object]] = [
        [
            label,
            getattr(before, name),
            getattr(after, name),
            _signed(getattr(after, name) - getattr(before, name)),
        ]
        for label, name in (
            ("parcels", "shares"),
            ("split orders", "splits"),
            ("no node could", "unserved"),
            ("on time", "on_time"),
            ("late", "late"),
            ("without a service", "unpriced"),
        )
    ]
    was, is_now = before.cost_minor, after.cost_minor
    rows += [
        [
            "cost",
            text_of(was[key], key),
            text_of(is_now[key], key),
            _signed_amount(is_now[key] - was[key], key),
        ]
        for key in sorted({*was, *is_now})
    ]
    was, is_now = before.by_node, after.by_node
    rows += [
        [f"at {key}", was[key], is_now[key], _signed(is_now[key] - was[key])]
        for key in sorted({*was, *is_now})
    ]
    emit_table(["what", "recorded", "simulated", "change"], rows, empty="")
    if changes:
        click.echo("")
        shown = [[one.order_id, _shares(one.before), _shares(one.after)] for one in changes[:_CHANGES_SHOWN]]
        emit_table(["order", "recorded", "simulated"], shown, empty="")
    if len(changes) > _CHANGES_SHOWN:
        click.echo(f"... and {len(changes) - _CHANGES_SHOWN} more: --json has them all.")


def _signed(number: int) -> str:
    return f"{number:+d}" if number else "0"


def _signed_amount(minor: int, currency: str) -> str:
    return f"{'+' if minor > 0 else ''}{text_of(minor, currency)}" if minor else "0"


def _shares(shares: object) -> str:
    found = [f"{one.node_id}{f' by {one.service}' if one.service else ''}" for one in shares]  # type: ignore[attr-defined]  # a repeated field
    return " + ".join(found) or "nobody"


@click.command("explain")
@click.argument("order_id", metavar="ORDER")
@json_option
@hub_command
def explain(hub: HubClient, order_id: str, as_json: bool) -> None:
    """Say why this node and why not the others: every decision about an order, as it was recorded.

    \b
    Example:
      bodegactl routing explain ORDER

    JSON: {decisions: [{decision_id, order_id, decided_at_ms, decided_by, reason, rule, digest, shares, candidates:
    [{node_id, distance_km, eligible, reasons, scores}], unserved, inputs_sha256, stage, notes}]}, the newest first.
    """
    found = hub.call(hub.routing.ExplainRouting, pb.ExplainRoutingRequest(order_id=order_id)).decisions
    if as_json:
        emit_json({"decisions": plain_all(found)})
        return
    if not found:
        click.echo(
            f"Of {order_id} no decision is recorded whole: bodegactl orders explain {order_id} says why."
        )
    for number, one in enumerate(found):
        click.echo("\n" if number else "", nl=False)
        _tell_decision(one)


def _tell_decision(one: pb.RoutingDecision) -> None:
    asked = f"{one.decided_by}: {one.reason}" if one.decided_by else "the order was placed"
    click.echo(f"{one.decision_id} at {when(one.decided_at_ms)}, as {asked}")
    stage = f", stage {one.stage}" if one.stage else ""
    click.echo(f"by {one.rule} ({one.digest[:12]}){stage}: {_shares(one.shares)}")
    for note in one.notes:
        click.echo(f"  {note.text}")
    click.echo("")
    chosen = {share.node_id for share in one.shares}
    rows = [
        [
            row.node_id,
            f"{row.distance_km:.1f}",
            "chosen" if row.node_id in chosen else "could" if row.eligible else "could not",
            " ".join(f"{name}={score:g}" for name, score in sorted(row.scores.items())) or "-",
            "; ".join(reason.text for reason in row.reasons),
        ]
        for row in one.candidates
    ]
    emit_table(["node", "km", "serve", "scores", "why"], rows, empty="No node was looked at.")
    for line, units in sorted(one.unserved.items()):
        click.echo(f"line {line}: {units} units are nobody's to promise")


@click.command("replay")
@click.argument("order_id", metavar="[ORDER]", default="")
@_since_option
@_limit_option
@json_option
@hub_command
def replay(hub: HubClient, order_id: str, back_ms: int, limit: int, *, as_json: bool) -> None:
    """Make recorded decisions again, one order's or all, and compare them bit for bit.

    Exit code 1 if one comes out otherwise: then program or record has been changed.

    \b
    Examples:
      bodegactl routing replay ORDER
      bodegactl routing replay --since 1d

    JSON: {replays: [{decision_id, order_id, outcome, detail}]}; outcome: same, differs, erased, not_recorded.
    """
    found: list[pb.RoutingReplay] = []
    request = pb.ReplayRoutingRequest(order_id=order_id, since_ms=_since_ms(back_ms))
    with _progress("replaying") as show:
        while True:
            request.page_size = min(_PAGE, limit - len(found), PAGE_ROWS_MAX)
            answer = hub.call(hub.routing.ReplayRouting, request)
            found += answer.replays
            show(len(found), max(answer.total, len(found)))
            request.page_token = answer.next_page_token
            if not request.page_token or len(found) >= limit:
                break
    differing = [one for one in found if one.outcome == "differs"]
    if as_json:
        emit_json({"replays": plain_all(found)})
    else:
        _tell_replays(found)
    if differing:
        raise IntegrityBroken(
            f"{len(differing)} of {len(found)} decisions come out otherwise than they were recorded",
            hint=f"look at one: bodegactl routing replay {differing[0].order_id}",
        )


def _tell_replays(found: list[pb.RoutingReplay]) -> None:
    counts = {outcome: sum(one.outcome == outcome for one in found) for outcome in _OUTCOMES}
    told = ", ".join(f"{count} {words}" for outcome, words in _OUTCOMES.items() if (count := counts[outcome]))
    click.echo(f"{len(found)} decisions made again: {told or 'none'}.")
    rows = [
        [one.decision_id, one.order_id, one.outcome, one.detail] for one in found if one.outcome != "same"
    ]
    if rows:
        click.echo("")
        emit_table(["decision", "order", "outcome", "detail"], rows[:_CHANGES_SHOWN], empty="")


_OUTCOMES = {
    "same": "come out as they were recorded, bit for bit",
    "differs": "come out otherwise",
    "erased": "cannot be made again, where they went to is erased",
    "not_recorded": "cannot be made again",
}

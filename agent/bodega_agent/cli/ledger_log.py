"""`bodega ledger log` and `show`: events as sentences, all of them or the history of one thing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from bodega.errors import NotFound
from bodega.host.cli import emit_json, emit_table, json_option
from bodega.limits import HISTORY_EVENTS_TOLD_MAX
from bodega_agent.cli.journal_text import event_json, one_line, who
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.cli.times import utc
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads.histories import AnyOf, History, Told, as_told, history, of_order
from bodega_agent.store.reads.names import Kind

_KINDS = {
    "sku_id": Kind.SKU,
    "bin_id": Kind.BIN,
    "lot": Kind.LOT,
    "serial": Kind.SERIAL,
    "parcel": Kind.PARCEL,
    "reservation": Kind.RESERVATION,
    "transfer": Kind.TRANSFER,
}


@click.command()
@config_option
@json_option
@click.option("--sku", "sku_id", metavar="SKU", help="The history of this SKU.")
@click.option("--bin", "bin_id", metavar="BIN", help="The history of this place.")
@click.option("--lot", metavar="LOT", help="The history of this lot.")
@click.option("--serial", metavar="SERIAL", help="The history of the unit with this serial number.")
@click.option("--parcel", metavar="SSCC", help="The history of this parcel.")
@click.option("--reservation", metavar="ID", help="The history of this promise of the node's own.")
@click.option("--transfer", metavar="ID", help="The history of this transfer of goods, or of rights.")
@click.option("--order", metavar="ORDER", help="The history of this order or fulfillment order.")
@click.option("--before", type=click.IntRange(1), help="Only events older than this one.", metavar="SEQ")
@click.option("--after", type=click.IntRange(0), help="Oldest first from the event after SEQ.", metavar="SEQ")
@click.option("--archives", is_flag=True, help="Look into the archive files, too; slower.")
@click.option("-n", "--limit", type=click.IntRange(1, HISTORY_EVENTS_TOLD_MAX), default=20, show_default=True)
def log(
    config_path: Path,
    *,
    as_json: bool,
    order: str | None,
    before: int | None,
    after: int | None,
    archives: bool,
    limit: int,
    **named: str | None,
) -> None:
    """Show events as sentences: the newest first, or from --after SEQ on.

    The options that name a thing combine: all of them must be in the event. One question looks back over a
    million events at most, and says so if that was not all.

    \b
    Examples:
      bodega ledger log
      bodega ledger log --sku OAT-1L --bin A-01-01
      bodega ledger log --order FO-17 --json
      bodega ledger log --after 0 --limit 100
    """
    wanted: list[AnyOf] = [((_KINDS[name], value),) for name, value in named.items() if value]
    if after is not None and (wanted or order or before):
        raise click.UsageError("--after lists all events; leave out the other options, or use --before")
    with ledger_of(config_path) as ledger:
        if after is not None:
            _show([as_told(event) for event in ledger.events(after, limit)], as_json=as_json)
            return
        wanted += [of_order(ledger, order)] if order else []
        found = history(ledger, wanted, limit=limit, before=before, archives=archives)
    _show(found.events, as_json=as_json)
    for line in _what_is_missing(found, limit):
        click.echo(line, err=True)


def _show(events: Sequence[Told], *, as_json: bool) -> None:
    if as_json:
        emit_json([_json(told) for told in events])
        return
    emit_table(
        ("event", "time", "who", "what"),
        [(told.seq, utc(told.event.at_ms), who(told.event), one_line(told.event)) for told in events],
        empty="No events.",
    )


def _json(told: Told) -> dict[str, object]:
    return {**event_json(told.seq, told.body, told.hash), "text": one_line(told.event)}


def _what_is_missing(found: History, limit: int) -> list[str]:
    """What a person must know of the events that were not shown."""
    if found.more:
        least = "" if found.complete else "at least "
        return [f"{least}{found.more} older ones: add --before {found.events[-1].seq}"]
    if not found.complete and len(found.events) == limit:
        return [f"older ones: add --before {found.events[-1].seq}"]
    if not found.complete:
        return [f"looked back to event {found.searched_from}: go on with --before {found.searched_from}"]
    if found.first_seq > 1:
        return [f"events before {found.first_seq} are in archive files: add --archives"]
    return []


@click.command()
@config_option
@json_option
@click.argument("seq", type=click.IntRange(1))
def show(config_path: Path, *, as_json: bool, seq: int) -> None:
    """Show one event in full, with its place in the chain.

    \b
    Example:
      bodega ledger show 42
    """
    with ledger_of(config_path) as journal:
        told = _event(journal, seq)
    shown = _json(told)
    if as_json:
        emit_json(shown)
        return
    click.echo(f"event {seq}, {shown['fact']}: {shown['text']}")
    click.echo(f"hash {shown['hash']}")
    emit_json(shown["event"])


def _event(journal: Reader, seq: int) -> Told:
    """One event; NotFound if it is not here, or not any more."""
    found = journal.events(seq - 1, 1)
    if not found or found[0].seq != seq:
        first = journal.first_seq()
        archived = "it is in an archive file" if seq < first else ""
        raise NotFound(f"there is no event {seq}", hint=archived or f"the newest is {journal.head().seq}")
    return as_told(found[0])

"""`bodegactl notices`: deliveries of suppliers that nodes are told of before they come."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.v1 import expectations_pb2 as pb
from bodega.v1 import floor_pb2
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.expected_lines import lines_options, read_lines
from bodega_controlplane.cli.show import plain, plain_all, when


@click.group()
def notices() -> None:
    """Deliveries that suppliers have announced (EANCOM DESADV, X12 856).

    A node that knows of one receives against it, and says what came, what was too much and what is missing. Without
    one it receives blind.
    """


@notices.command("put")
@click.argument("notice_id", metavar="NOTICE")
@click.option("--node", "node_id", required=True, metavar="NODE", help="Node that it goes to.")
@click.option("--supplier", required=True, metavar="NAME")
@click.option(
    "--expected",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="When it should come, UTC.",
)
@lines_options
@json_option
@hub_command
def put(
    hub: HubClient,
    notice_id: str,
    node_id: str,
    supplier: str,
    expected: datetime | None,
    lines: tuple[str, ...],
    lines_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Announce a delivery, or replace what was announced. The same again changes nothing.

    \b
    Examples:
      bodegactl notices put D-4711 --node lisbon-01 --supplier Acme --line TEA=40/L-7/2027-01-31
      bodegactl notices put D-4712 --node lisbon-01 --supplier Acme --expected 2026-11-24 --lines d-4712.csv

    JSON: {node_id, notice: {notice_id, supplier, lines, expected_at_ms, version, withdrawn}, receipts}.
    """
    notice = floor_pb2.AdvanceNotice(
        notice_id=notice_id,
        supplier=supplier,
        lines=read_lines(lines, lines_file),
        expected_at_ms=int(expected.replace(tzinfo=UTC).timestamp() * 1000) if expected else 0,
    )
    answer = hub.call(hub.expectations.PutNotice, pb.PutNoticeRequest(node_id=node_id, notice=notice))
    _print(answer.notice, as_json)


@notices.command("withdraw")
@click.argument("notice_id", metavar="NOTICE")
@click.option("--node", "node_id", required=True, metavar="NODE", help="Node that was told of it.")
@json_option
@hub_command
def withdraw(hub: HubClient, notice_id: str, node_id: str, as_json: bool) -> None:
    """Say that a delivery does not come after all.

    \b
    Example:
      bodegactl notices withdraw D-4711 --node lisbon-01
    """
    request = pb.WithdrawNoticeRequest(node_id=node_id, notice_id=notice_id)
    _print(hub.call(hub.expectations.WithdrawNotice, request).notice, as_json)


@notices.command("ls")
@click.option("--node", "node_id", default="", metavar="NODE", help="Only this node's.")
@one_page_option
@json_option
@hub_command
def ls(hub: HubClient, node_id: str, limit: int, as_json: bool) -> None:
    """List notices, newest first, with what has come.

    \b
    Examples:
      bodegactl notices ls
      bodegactl notices ls --node lisbon-01 --json

    JSON: {"notices": [{node_id, notice, receipts}]}.
    """
    request = pb.ListNoticesRequest(node_id=node_id, page_size=limit)
    found = hub.call(hub.expectations.ListNotices, request).notices
    if as_json:
        emit_json({"notices": plain_all(found)})
        return
    rows = [
        [one.notice.notice_id, one.node_id, one.notice.supplier, _units(one.notice), _due(one), _state(one)]
        for one in found
    ]
    headers = ["notice", "node", "supplier", "units", "expected", "state"]
    emit_table(headers, rows, empty="No notices. Announce a delivery: bodegactl notices put.")


def _print(one: pb.Notice, as_json: bool) -> None:
    if as_json:
        emit_json(plain(one))
        return
    click.echo(
        f"{one.notice.notice_id}, version {one.notice.version}, is {_state(one)}: {_units(one.notice)} units for"
        f" {one.node_id}."
    )


def _units(notice: floor_pb2.AdvanceNotice) -> int:
    return sum(line.quantity for line in notice.lines)


def _due(one: pb.Notice) -> str:
    return when(one.notice.expected_at_ms) if one.notice.expected_at_ms else "-"


def _state(one: pb.Notice) -> str:
    """What a person wants to know: is it coming, coming in, or in?"""
    if one.receipts:
        came = sum(line.received for receipt in one.receipts for line in receipt.lines)
        states = {receipt.state for receipt in one.receipts}
        return "coming in" if "open" in states else f"received ({came} units)"
    return "withdrawn" if one.notice.withdrawn else "announced"

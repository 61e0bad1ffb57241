"""`bodegactl audit`: who changed what, and the proof that nobody changed the record."""

from __future__ import annotations

import click

from bodega.errors import IntegrityBroken
from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.show import plain, plain_all, when


@click.group()
def audit() -> None:
    """The audit trail: who changed what.

    It is append-only, and each line is chained to the one before by its hash.
    """


@audit.command("ls")
@click.option("--subject", default="", metavar="ID", help="Only what concerns this order, node or SKU.")
@one_page_option
@json_option
@hub_command
def ls(hub: HubClient, subject: str, limit: int, as_json: bool) -> None:
    """List who did what to what, newest first.

    Actors are roles and nodes, never persons; details hold no personal data.

    \b
    Examples:
      bodegactl audit ls
      bodegactl audit ls --subject ORDER --json

    JSON: {"entries": [{seq, at_ms, actor, action, subject, detail, hash}]}.
    """
    answer = hub.call(hub.audit.ListAudit, pb.ListAuditRequest(subject=subject, page_size=limit))
    if as_json:
        emit_json({"entries": plain_all(answer.entries)})
        return
    rows = [
        [row.seq, when(row.at_ms), row.actor, row.action, row.subject, row.detail] for row in answer.entries
    ]
    emit_table(["seq", "at", "actor", "action", "subject", "detail"], rows, empty="Nothing was changed yet.")


@audit.command("verify")
@json_option
@hub_command
def verify(hub: HubClient, as_json: bool) -> None:
    """Check the hash chain of the whole trail; exit code 1 if a line does not fit.

    \b
    Example:
      bodegactl audit verify && echo "nobody has touched it"

    JSON: {"entries": N, "first_bad_seq": 0} where 0 means that every line fits.
    """
    answer = hub.call(hub.audit.VerifyAudit, pb.VerifyAuditRequest())
    if as_json:
        emit_json(plain(answer))
    elif not answer.first_bad_seq:
        click.echo(f"The chain holds: {answer.entries} lines checked.")
    if answer.first_bad_seq:
        raise IntegrityBroken(
            f"the audit trail does not fit its chain from line {answer.first_bad_seq} on",
            hint="somebody or something changed the database: keep a copy, then compare it with your backups",
        )

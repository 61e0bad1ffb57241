"""`bodegactl audit`: who changed what, and the proof that nobody changed the record."""

from __future__ import annotations

import time

import click

from bodega.errors import IntegrityBroken
from bodega.host.cli import emit_json, emit_table, json_option, progress
from bodega.limits_hub import AUDIT_LINES_PER_CHECK_MAX
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.deciding import Span
from bodega_controlplane.cli.paging import collect, limit_option
from bodega_controlplane.cli.show import plain_all, when


class Head(click.ParamType[tuple[int, bytes]]):
    """SEQ:HASH, a line of the trail with its chain hash in hex."""

    name = "SEQ:HASH"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, bytes]:
        """Fails for anything else."""
        seq, _, digest = str(value).partition(":")
        try:
            return int(seq), bytes.fromhex(digest)
        except ValueError:
            return self.fail(f"'{value}' is not SEQ:HASH, as an earlier check printed it", param, ctx)


@click.group()
def audit() -> None:
    """The audit trail: who changed what.

    It is append-only, and each line is chained to the one before by its hash.
    """


@audit.command("ls")
@click.option("--subject", default="", metavar="ID", help="Only what concerns this order, node or SKU.")
@click.option(
    "--actor", default="", metavar="WHO", help="Only what this channel, `operator` or `node:ID` did."
)
@click.option(
    "--action", default="", metavar="WORD", help="Only this; with a dot at its end, all that begin so."
)
@click.option("--since", "since_ms", type=Span(), default=0, help="Only of the last 90m, 4h, 2d.")
@limit_option
@json_option
@hub_command
def ls(
    hub: HubClient, subject: str, actor: str, action: str, since_ms: int, limit: int, *, as_json: bool
) -> None:
    """List who did what to what, newest first.

    Actors are roles and nodes, never persons; details hold no personal data.

    \b
    Examples:
      bodegactl audit ls
      bodegactl audit ls --action order. --since 4h
      bodegactl audit ls --subject ORDER --json

    JSON: {"entries": [{seq, at_ms, actor, action, subject, detail, hash}]}.
    """
    began_ms = int(time.time() * 1000) - since_ms if since_ms else 0

    def page(size: int, token: str) -> tuple[list[pb.AuditEntry], str]:
        request = pb.ListAuditRequest(
            subject=subject, actor=actor, action=action, since_ms=began_ms, page_size=size, page_token=token
        )
        answer = hub.call(hub.audit.ListAudit, request)
        return list(answer.entries), answer.next_page_token

    found = collect(limit, page)
    if as_json:
        emit_json({"entries": plain_all(found)})
        return
    rows = [[row.seq, when(row.at_ms), row.actor, row.action, row.subject, row.detail] for row in found]
    emit_table(["seq", "at", "actor", "action", "subject", "detail"], rows, empty="No such line.")


@audit.command("verify")
@click.option(
    "--from",
    "head",
    type=Head(),
    default="0:",
    show_default=False,
    help="Begin after a line checked earlier.",
)
@json_option
@hub_command
def verify(hub: HubClient, head: tuple[int, bytes], *, as_json: bool) -> None:
    """Check the hash chain of the whole trail; exit code 1 if a line does not fit.

    It prints the last line's sequence and hash. Keep them elsewhere: --from SEQ:HASH checks what came later, and
    finds also a trail whose end was cut off or written anew.

    \b
    Examples:
      bodegactl audit verify && echo "nobody has touched it"
      bodegactl audit verify --from 4711:9f86d081884c7d65...

    JSON: {"entries": N, "first_bad_seq": 0, "upto_seq", "upto_hash"} where 0 means that every line fits.
    """
    checked, newest = 0, _verified(hub, head, 1).newest_seq
    with progress("checking", max(0, newest - head[0])) as step:
        answer = _verified(hub, head, AUDIT_LINES_PER_CHECK_MAX)
        while not answer.first_bad_seq and answer.entries:
            checked += answer.entries
            step(answer.entries)
            head = (answer.upto_seq, answer.upto_hash)
            if head[0] >= newest:
                break
            answer = _verified(hub, head, AUDIT_LINES_PER_CHECK_MAX)
    _tell(answer, checked, as_json=as_json)


def _verified(hub: HubClient, head: tuple[int, bytes], lines: int) -> pb.VerifyAuditResponse:
    request = pb.VerifyAuditRequest(after_seq=head[0], after_hash=head[1], entries_max=lines)
    return hub.call(hub.audit.VerifyAudit, request)


def _tell(answer: pb.VerifyAuditResponse, checked: int, *, as_json: bool) -> None:
    bad, upto = answer.first_bad_seq, answer.upto_hash.hex()
    if as_json:
        emit_json(
            {
                "entries": checked + (answer.entries if bad else 0),
                "first_bad_seq": bad,
                "upto_seq": answer.upto_seq,
                "upto_hash": upto,
            }
        )
    elif not bad:
        click.echo(f"The chain holds: {checked} lines checked, up to {answer.upto_seq}:{upto}")
    if bad:
        raise IntegrityBroken(
            f"the audit trail does not fit its chain from line {bad} on",
            hint="somebody or something changed the database: keep a copy, then compare it with your backups",
        )

"""`bodegactl catalog`: import what is sold, and list it."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.errors import InvalidInput
from bodega.host.cli import emit_json, emit_table, json_option, one_page_option, progress
from bodega.limits_hub import IMPORT_FILE_BYTES_MAX
from bodega.v1 import catalogue_pb2, proposals_pb2
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.app.goods.catalogue_file import read_skus
from bodega_controlplane.cli.catalog_import import send_file
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.files import read_text
from bodega_controlplane.cli.paging import collect, limit_option
from bodega_controlplane.cli.show import plain, plain_all


@click.group()
def catalog() -> None:
    """What is sold: SKUs with their GTINs. Every node gets a copy of each change."""


@catalog.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@hub_command
def import_(hub: HubClient, file: Path, as_json: bool) -> None:
    """Add or replace the SKUs of a CSV or JSON file of at most 100,000 rows.

    The name of FILE ends in .csv or .json. CSV has a header with the columns sku_id, name and, if you
    like, gtins (apart by spaces or semicolons), owner, lot_tracked, serial_tracked, expiry_tracked,
    weight_g, volume_ml, length_mm, width_mm, height_mm, temperature_class (ambient, chilled, frozen),
    velocity_class (A, B, C), fragile, base_unit, units (case=12/15601234567897;pallet=480) and components
    of a kit (TEA=2;MUG=1). JSON is {"skus": [...]} with the same keys, as the storefront's API takes it. GTINs have
    8, 12, 13 or 14 digits. The whole file is checked first: every bad row is named with its line, column and
    reason, and then nothing is imported. It is written in slices, so that orders go on meanwhile. Importing a
    file again changes nothing.

    \b
    Examples:
      bodegactl catalog import catalogue.csv
      bodegactl catalog import catalogue.json --json

    \b
    A small file:
      sku_id,name,gtins,weight_g
      TEA-EARL-GREY,Earl Grey 100 g,5601234567890,120

    JSON: {"rows": N, "changed": N}.
    """
    kind = file.suffix.lower()
    if kind not in {".csv", ".json"}:
        raise InvalidInput(f"{file} is neither .csv nor .json", hint="rename it to say which it is")
    skus, lines = read_skus(read_text(file, IMPORT_FILE_BYTES_MAX), is_csv=kind == ".csv")
    with progress("importing", 2 * len(skus)) as step:
        changed = send_file(hub, skus, lines, step)
    if as_json:
        emit_json({"rows": len(skus), "changed": changed})
        return
    click.echo(f"{len(skus)} SKUs read, {changed} new or changed.")


@catalog.group()
def proposals() -> None:
    """Edits that people at nodes have made to SKUs, bins and settings.

    What a node owns is in force at once, weight and volume by the hub's order. What lost to another edit is kept, and
    barcodes, units, tracking and settings wait: `apply` puts one of these in force at every node.
    """


@proposals.command("ls")
@click.option("--all", "all_of_them", is_flag=True, help="Those in force and those refused, too.")
@one_page_option
@json_option
@hub_command
def proposals_ls(hub: HubClient, all_of_them: bool, limit: int, as_json: bool) -> None:
    """List edits that a person may put in force, newest first.

    \b
    Examples:
      bodegactl catalog proposals ls
      bodegactl catalog proposals ls --all --json

    JSON: {"proposals": [{proposal_id, node_id, kind, subject, field, value, base_version, reason, state, why,
    conflict_id, at_ms}]}.
    """
    request = proposals_pb2.ListProposalsRequest(open_only=not all_of_them, page_size=limit)
    found = hub.call(hub.proposals.ListProposals, request).proposals
    if as_json:
        emit_json({"proposals": plain_all(found)})
        return
    rows = [
        [one.proposal_id, one.kind, one.subject, f"{one.field}={one.value}", one.state, one.reason or "-"]
        for one in found
    ]
    emit_table(
        ["proposal", "kind", "subject", "edit", "state", "reason"], rows, empty="No edit waits for anybody."
    )


@proposals.command("apply")
@click.argument("proposal_id", metavar="PROPOSAL")
@json_option
@hub_command
def proposals_apply(hub: HubClient, proposal_id: str, as_json: bool) -> None:
    """Put an edit in force that lost to another, or that waits for a person; every node is told.

    \b
    Example:
      bodegactl catalog proposals apply lisbon-01/1/4711

    JSON: {"proposal": {proposal_id, node_id, kind, subject, field, value, state, why, ...}}.
    """
    request = proposals_pb2.ApplyProposalRequest(proposal_id=proposal_id)
    answer = hub.call(hub.proposals.ApplyProposal, request)
    if as_json:
        emit_json(plain(answer))
        return
    one = answer.proposal
    click.echo(f"{one.field} of {one.kind} {one.subject} is {one.value} now.")


@catalog.command("ls")
@limit_option
@json_option
@hub_command
def ls(hub: HubClient, limit: int, as_json: bool) -> None:
    """List SKUs by id.

    \b
    Examples:
      bodegactl catalog ls
      bodegactl catalog ls --limit 1000 --json | jq '.skus | length'

    JSON: {"skus": [...]}, each with the keys of an import, units_version and version.
    """

    def page(size: int, token: str) -> tuple[list[catalogue_pb2.Sku], str]:
        answer = hub.call(hub.catalogue.ListSkus, pb.ListSkusRequest(page_size=size, page_token=token))
        return list(answer.skus), answer.next_page_token

    found = collect(limit, page)
    if as_json:
        emit_json({"skus": plain_all(found)})
        return
    rows = [[sku.sku_id, sku.name, " ".join(sku.gtins) or "-", sku.version] for sku in found]
    empty = "No SKUs. Add some: bodegactl catalog import FILE."
    emit_table(["sku", "name", "gtins", "version"], rows, empty=empty)

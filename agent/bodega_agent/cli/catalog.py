"""`bodega catalog`: edits to what the hub keeps, proposed by whoever has the goods in hand."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import click

from bodega.core.conflicts.fields import BIN, FIELDS, SETTING, SKU, Owner
from bodega.errors import FieldFault, InvalidInput, Unavailable
from bodega.host.cli import emit_json, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.location import config_option


@click.group()
def catalog() -> None:
    """SKUs, bins and settings: the hub keeps them, and people here may say what is wrong with them."""


@catalog.command(
    epilog="Fields: "
    + "; ".join(
        f"{kind}: {', '.join(field for of, field in FIELDS if of == kind and FIELDS[of, field].owner is not Owner.HUB)}"
        for kind in (SKU, BIN, SETTING)
    )
    + "."
)
@config_option
@json_option
@click.option("--reason", default="", metavar="WORDS", help="Why, for whoever decides.")
@click.option("--cmd-id", default="", help="Repeat an edit that got no answer: the same id is done once.")
@click.argument("kind", type=click.Choice([SKU, BIN, SETTING]))
@click.argument("subject")
@click.argument("values", nargs=-1, required=True, metavar="FIELD=VALUE...")
def propose(
    config_path: Path,
    *,
    as_json: bool,
    reason: str,
    cmd_id: str,
    kind: str,
    subject: str,
    values: tuple[str, ...],
) -> None:
    """Propose another value for fields of a SKU, a bin or a setting.

    What this node owns (home_bin of a SKU, walk_order of a bin) is in force here at once. Weight and volume are in
    force everywhere once the hub has read them, unless they were changed there meanwhile. Barcodes, units, lots,
    serials and settings wait at the hub for a person.

    \b
    Examples:
      bodega catalog propose sku OAT-1L weight_g=1034 --reason "on the scale"
      bodega catalog propose sku OAT-1L home_bin=A-01-02
      bodega catalog propose bin A-01-02 walk_order=7
      bodega catalog propose sku OAT-1L "units=case=12/04006381333931"
      bodega catalog propose setting vision.mode value=off

    JSON: {kind, subject, base_version, "proposals": [{event, field, value, in_force}]}.
    """
    pairs = _pairs(values)
    name = cmd_id or str(uuid4())
    with ControlClient.of(config_path) as agent:
        try:
            done = agent.ask(
                "catalog.propose", cmd_id=name, kind=kind, subject=subject, fields=pairs, reason=reason
            )
        except Unavailable as error:
            raise Unavailable(
                error.message, hint=f"to be sure that it is done once, repeat it with --cmd-id {name}"
            ) from error
    if as_json:
        emit_json(done)
        return
    for one in done["proposals"]:
        said = "is in force here" if one["in_force"] else "is told to the hub, which decides"
        click.echo(f"{one['field']} of {subject} = {one['value']} {said} ({one['event']})")


def _pairs(values: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    faults = []
    for word in values:
        field, is_pair, value = word.partition("=")
        if not is_pair or not field or field in pairs:
            faults.append(FieldFault(ascii(word), "must be FIELD=VALUE, each field once"))
        pairs[field] = value
    if faults:
        raise InvalidInput("these words are no edit", hint="for example: weight_g=1034", faults=tuple(faults))
    return pairs

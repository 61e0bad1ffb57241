"""`bodega pickups`: parcels that wait for their customers."""

from __future__ import annotations

from pathlib import Path

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option
from bodega_agent.store.clock import boot_time
from bodega_agent.store.reads import pickups as reads


@click.command()
@config_option
@json_option
@click.option("--all", "everything", is_flag=True, help="Also those that are over and put back.")
def pickups(config_path: Path, *, as_json: bool, everything: bool) -> None:
    """List what customers fetch here, from the counter or a locker: where it waits, and for how long still.

    What was not fetched in time, refused or cancelled stays in the list until its goods are put back. Reads the ledger
    file, so it works while the agent is down.

    \b
    Examples:
      bodega pickups
      bodega pickups --json | jq '.[] | select(.outcome == "expired") | .place'
    """
    with ledger_of(config_path) as ledger:
        found = reads.pickups(ledger, boot_time())
    if not everything:
        found = [row for row in found if row["put_back"] or row["outcome"] in _OPEN]
    if as_json:
        emit_json(found)
        return
    emit_table(
        ("order", "of", "method", "outcome", "place", "time left", "wrong codes", "to put back"),
        [
            (
                row["fulfillment_order_id"],
                row["order_id"],
                row["method"],
                row["outcome"].replace("_", " "),
                row["place"] or "-",
                "-" if row["left_ms"] is None else f"{row['left_ms'] // 60_000} min",
                row["wrong_codes"],
                row["put_back"] or "-",
            )
            for row in found
        ],
        empty="No customer is waited for.",
    )


_OPEN = frozenset({"to_come", "to_stage", "waiting"})

"""`bodegactl carriers`: who sends parcels, and who can not at the moment."""

from __future__ import annotations

import click

from bodega.host.cli import emit_json, emit_table, json_option
from bodega.v1 import rates_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.show import plain, plain_all, when


@click.group()
def carriers() -> None:
    """Carriers: while one is down nobody is sent with it, and the next best one takes over.

    Orders are routed past it at once; nodes hear it within seconds and choose another service for what they pack.
    """


@carriers.command("ls")
@json_option
@hub_command
def ls(hub: HubClient, as_json: bool) -> None:
    """List carriers with their services.

    \b
    Example:
      bodegactl carriers ls

    JSON: {"carriers": [{carrier, services, down, since_ms, said_by, reason}]}.
    """
    found = hub.call(hub.rates.ListCarriers, pb.ListCarriersRequest()).carriers
    if as_json:
        emit_json({"carriers": plain_all(found)})
        return
    rows = [[one.carrier, " ".join(one.services) or "-", _state(one)] for one in found]
    emit_table(["carrier", "services", "state"], rows, empty="No carriers: bodegactl rates import FILE.")


@carriers.command("down")
@click.argument("carrier")
@click.option("--reason", required=True, metavar="WORDS", help="Why nobody is sent with it.")
@json_option
@hub_command
def down(hub: HubClient, carrier: str, reason: str, as_json: bool) -> None:
    """Say that a carrier can not be used; saying it again changes nothing.

    \b
    Example:
      bodegactl carriers down southpost --reason "strike at the depot"

    JSON: {carrier: {carrier, services, down, since_ms, said_by, reason}, changed}.
    """
    _set(hub, pb.SetCarrierRequest(carrier=carrier, down=True, reason=reason), as_json=as_json)


@carriers.command("up")
@click.argument("carrier")
@json_option
@hub_command
def up(hub: HubClient, carrier: str, as_json: bool) -> None:
    """Say that a carrier can be used again.

    \b
    Example:
      bodegactl carriers up southpost

    JSON: {carrier: {carrier, services, down, since_ms, said_by, reason}, changed}.
    """
    _set(hub, pb.SetCarrierRequest(carrier=carrier, down=False), as_json=as_json)


def _set(hub: HubClient, request: pb.SetCarrierRequest, *, as_json: bool) -> None:
    answer = hub.call(hub.rates.SetCarrier, request)
    if as_json:
        emit_json(plain(answer))
        return
    already = "" if answer.changed else " already"
    click.echo(f"{answer.carrier.carrier} is {_state(answer.carrier)}{already}.")


def _state(one: pb.CarrierStatus) -> str:
    if not one.down:
        return "up"
    return f"down since {when(one.since_ms)}, says {one.said_by}: {one.reason}"

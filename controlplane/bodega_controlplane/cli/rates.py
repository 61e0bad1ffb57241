"""`bodegactl rates`: what carriers take from the network's nodes, and what that makes for a parcel."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bodega.core.money import text_of
from bodega.errors import InvalidInput
from bodega.host.cli import emit_json, emit_table, json_option, one_page_option
from bodega.v1 import rates_pb2 as pb
from bodega_controlplane.carriers.card_document import card_values
from bodega_controlplane.carriers.card_file import at_line, read_card
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.files import read_text
from bodega_controlplane.cli.show import plain, plain_all, when


@click.group()
def rates() -> None:
    """What carriers take: the network's rate card, and what it makes for a parcel.

    The newest card whose day has come is in force. Every node is given the services that collect there, so that it
    chooses by itself where the hub's choice can not be had.
    """


@rates.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@hub_command
def import_(hub: HubClient, file: Path, as_json: bool) -> None:
    """Take a rate card, all or nothing; nodes are given it within seconds.

    The name of FILE ends in .json or .csv; `bodegactl rates validate --help` shows both. Every fault is named at once,
    in a CSV file with its line. The card that is the newest already changes nothing.

    \b
    Example:
      bodegactl rates import winter-2026.json

    JSON: {card: {version, name, digest, valid_from, imported_at_ms, services, carriers, currency, in_force}, changed,
    nodes}.
    """
    answer = _send(hub, file, check_only=False)
    if as_json:
        emit_json(plain(answer))
        return
    one = answer.card
    if not answer.changed:
        click.echo(f"Rate card {one.version} ({one.name}) is the newest already; nothing was changed.")
    elif one.in_force:
        click.echo(f"Rate card {one.version} ({one.name}) is in force; {answer.nodes} nodes are given it.")
    else:
        click.echo(f"Rate card {one.version} ({one.name}) is kept, and in force from {one.valid_from} on.")


@rates.command("validate")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@hub_command
def validate(hub: HubClient, file: Path, as_json: bool) -> None:
    """Check a rate card as an import does, and change nothing.

    \b
    Example:
      bodegactl rates validate winter-2026.csv

    \b
    JSON holds the whole card, prices in minor units such as cents:
      {"name": "winter-2026", "currency": "EUR", "valid_from": "2026-12-01", "dimensional_divisor": 5000,
       "holidays": ["2026-12-25"], "origins": {"south": ["lisbon-01", "faro-01"]},
       "services": [{"service": "ECO", "carrier": "southpost", "service_class": "standard", "cut_off": "17:30",
         "collection_days": [1, 2, 3, 4, 5], "surcharge_permille": 85,
         "surcharges": [{"surcharge": "islands", "price_minor": 450, "postal_prefixes": ["9"]}],
         "zones": [{"zone": "PT", "origins": ["south"], "countries": ["PT"], "transit_days": 2,
           "brackets": [{"max_weight_g": 2000, "price_minor": 390}]}]}]}

    \b
    CSV has a row for each bracket (with zone) or surcharge, and is called like its file:
      carrier,service,service_class,currency,cut_off,zone,countries,max_weight_g,price_minor,transit_days
      southpost,ECO,standard,EUR,17:30,PT,PT,2000,390,2
      southpost,ECO,,,,PT,,10000,690,

    JSON: as of import, the card without a version.
    """
    answer = _send(hub, file, check_only=True)
    if as_json:
        emit_json(plain(answer))
        return
    one = answer.card
    click.echo(
        f"{file} is right: {one.services} services of {', '.join(one.carriers)};"
        f" {answer.nodes} nodes would be given others than they have."
    )


def _send(hub: HubClient, file: Path, *, check_only: bool) -> pb.ImportRateCardResponse:
    read = read_card(read_text(file), file)
    request = pb.ImportRateCardRequest(card=read.card, check_only=check_only)
    try:
        return hub.call(hub.rates.ImportRateCard, request)
    except InvalidInput as error:
        faults = tuple(at_line(fault, read.lines) for fault in error.faults)
        raise InvalidInput(error.message, hint=error.hint, faults=faults) from error


@rates.command("ls")
@one_page_option
@json_option
@hub_command
def ls(hub: HubClient, limit: int, as_json: bool) -> None:
    """List rate cards, newest first.

    \b
    Example:
      bodegactl rates ls

    JSON: {"cards": [{version, name, digest, valid_from, imported_at_ms, services, carriers, currency, in_force}]}.
    """
    found = hub.call(hub.rates.ListRateCards, pb.ListRateCardsRequest(page_size=limit)).cards
    if as_json:
        emit_json({"cards": plain_all(found)})
        return
    rows = [
        [
            one.version,
            one.name,
            "in force" if one.in_force else one.valid_from or "-",
            when(one.imported_at_ms),
            one.services,
            " ".join(one.carriers),
        ]
        for one in found
    ]
    empty = "No rate cards: nodes send with what their profiles name. Take one: bodegactl rates import FILE."
    emit_table(["version", "name", "from", "imported", "services", "carriers"], rows, empty=empty)


@rates.command("show")
@click.argument("version", type=click.IntRange(1), required=False)
@json_option
@hub_command
def show(hub: HubClient, version: int | None, as_json: bool) -> None:
    """Show a rate card, the one in force if no version is given; --json prints a file that can be imported again.

    \b
    Examples:
      bodegactl rates show
      bodegactl rates show 3 --json > card-3.json

    JSON: the card as `rates validate --help` describes it.
    """
    answer = hub.call(hub.rates.GetRateCard, pb.GetRateCardRequest(version=version or 0))
    if as_json:
        emit_json(card_values(answer.card))
        return
    one = answer.summary
    click.echo(f"Rate card {one.version} ({one.name}){', in force' if one.in_force else ''}.\n")
    rows = [
        [
            service.carrier,
            service.service,
            service.service_class,
            zone.zone,
            " ".join(zone.origins) or "all",
            zone.transit_days,
            f"{zone.brackets[-1].max_weight_g / 1000:g}",
            text_of(zone.brackets[0].price_minor, service.currency),
        ]
        for service in answer.card.services
        for zone in service.zones
    ]
    headers = ["carrier", "service", "class", "zone", "from", "days", "up to kg", "least"]
    emit_table(headers, rows, empty="It has no services.")


@rates.command("quote")
@click.option("--to", "place", required=True, metavar="COUNTRY[/POSTCODE]", help="Such as PT/1100-060.")
@click.option("--weight-g", type=click.IntRange(0, 10**9), default=0, help="Weight of the goods.")
@click.option("--volume-ml", type=click.IntRange(0, 10**9), default=0, help="Volume of the goods.")
@click.option("--node", "node_id", default="", metavar="NODE", help="Only from this node.")
@click.option("--business", is_flag=True, help="It goes to a business, not to a home.")
@click.option(
    "--at", "at", type=click.DateTime(["%Y-%m-%dT%H:%M"]), help="Ready at this time (UTC), not now."
)
@json_option
@hub_command
def quote(
    hub: HubClient,
    place: str,
    weight_g: int,
    volume_ml: int,
    node_id: str,
    business: bool,
    at: datetime | None,
    *,
    as_json: bool,
) -> None:
    """What every service takes for a parcel, cheapest first, and what could be promised.

    \b
    Examples:
      bodegactl rates quote --to PT/1100-060 --weight-g 900
      bodegactl rates quote --to PT/9000-017 --weight-g 900 --volume-ml 12000 --node lisbon-01 --json

    JSON: {"quotes": [{node_id, carrier, service, service_class, zone, parcels, billed_weight_g, base_minor,
    added: [{surcharge, price_minor}], price_minor, currency, ship_date, due_date, suspended}],
    "promises": [{service_class, quote, on_time, order_by_ms}]}.
    """
    country, _, postal_code = place.partition("/")
    request = pb.QuoteRatesRequest(
        node_id=node_id,
        country=country.upper(),
        postal_code=postal_code,
        weight_g=weight_g,
        volume_ml=volume_ml,
        business=business,
        at_ms=int(at.replace(tzinfo=UTC).timestamp() * 1000) if at else 0,
    )
    answer = hub.call(hub.rates.QuoteRates, request)
    if as_json:
        emit_json(plain(answer))
        return
    rows = [
        [
            one.node_id,
            f"{one.carrier} {one.service}" + (" (down)" if one.suspended else ""),
            one.service_class,
            one.zone,
            _amount(one),
            one.ship_date,
            one.due_date,
        ]
        for one in answer.quotes
    ]
    headers = ["node", "service", "class", "zone", "price", "leaves", "arrives"]
    emit_table(headers, rows, empty="Nobody goes there with so much.")
    for promise in answer.promises:
        click.echo(f"\n{promise.service_class}: {_promise(promise)}")


def _amount(one: pb.RateQuote) -> str:
    added = ", ".join(f"{each.surcharge} {text_of(each.price_minor, '')}" for each in one.added)
    parcels = f" for {one.parcels} parcels" if one.parcels > 1 else ""
    return f"{text_of(one.price_minor, one.currency)}{parcels}{' with ' if added else ''}{added}"


def _promise(one: pb.RatePromise) -> str:
    late = "" if one.on_time else ", later than the class says"
    until = f"if ordered by {when(one.order_by_ms)}"
    return f"arrives {one.quote.due_date}{late}, from {one.quote.node_id} with {one.quote.service}, {until}."

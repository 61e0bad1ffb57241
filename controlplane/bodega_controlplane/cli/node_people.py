"""`bodegactl nodes associate`: the entry of a person for the profile of a node."""

from __future__ import annotations

import json
import secrets
import sys

import click

from bodega.core.floor_words import Role
from bodega.core.pins import pin_hash
from bodega.errors import InvalidInput
from bodega.host.cli import emit_json, json_option
from bodega.limits_floor import PIN_DIGITS_MAX, PIN_DIGITS_MIN, PIN_SALT_BYTES


@click.command("associate")
@click.argument("associate_id", metavar="ID")
@click.option("--name", required=True, help="Name that a terminal greets.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.ASSOCIATE.value,
    show_default=True,
    help="A lead approves counts and voids parcels.",
)
@click.option("--badge", default="", metavar="CODE", help="What the badge's barcode says.")
@click.option("--pin/--no-pin", "with_pin", default=True, help="Ask for a PIN, unseen; or make none.")
@click.option("--pin-stdin", is_flag=True, help="Read the PIN from standard input, for scripts.")
@json_option
def associate(
    associate_id: str, name: str, role: str, badge: str, *, with_pin: bool, pin_stdin: bool, as_json: bool
) -> None:
    """Print the entry of a person for the profile of a node.

    The PIN is asked for and never kept: the entry holds a slow hash of it, with a salt of its own. Put the entry into
    the node's profile, and register the profile again: bodegactl nodes register FILE. While a profile has
    associates, nobody works at that node without having signed in.

    \b
    Examples:
      bodegactl nodes associate ana --name "Ana Sousa" --role lead >> lisbon-01.toml
      bodegactl nodes associate rui --name Rui --badge 8018560000000000000017 --no-pin

    JSON: {associate_id, name, role, badge, pin_salt, pin_hash}.
    """
    entry = {"associate_id": associate_id, "name": name, "role": role, "badge": badge}
    if with_pin:
        salt = secrets.token_bytes(PIN_SALT_BYTES)
        entry |= {"pin_salt": salt.hex(), "pin_hash": pin_hash(_pin(from_stdin=pin_stdin), salt).hex()}
    elif not badge:
        raise InvalidInput(
            "a person needs a badge or a PIN", hint="give --badge CODE, or leave --no-pin away"
        )
    if as_json:
        emit_json({"pin_salt": "", "pin_hash": "", **entry})
        return
    # A basic string of TOML is one of JSON as well, but for escapes that ASCII does not need.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items() if value]
    click.echo("\n".join(["", "[[associates]]", *lines]))


def _pin(*, from_stdin: bool) -> str:
    pin = sys.stdin.readline().strip() if from_stdin else _asked()
    if not (pin.isascii() and pin.isdigit() and PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX):
        raise InvalidInput(
            "that is no PIN", hint=f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits and nothing else"
        )
    return pin


def _asked() -> str:
    return str(click.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True))

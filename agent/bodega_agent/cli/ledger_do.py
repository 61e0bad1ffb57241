"""`bodega ledger do`: one command for the ledger, from words, a file or standard input."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from bodega.codec import parse_node_event
from bodega.core.commands import SHAPES, decode
from bodega.errors import FieldFault, InvalidInput, NotFound, Unavailable
from bodega.host.cli import emit_json, json_option
from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.journal_text import one_line
from bodega_agent.cli.ledger_file import ledger_of
from bodega_agent.cli.location import config_option

_NUMBERS = frozenset({"quantity", "difference", "expires_after_s", "basis_seq"})
_FLAGS = {"true": True, "false": False}
_NESTED = frozenset({"lines", "parts", "becomes"})
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


@click.command(epilog=f"Commands: {', '.join(SHAPES)}.")
@config_option
@json_option
@click.option("--cmd-id", default="", help="Repeat a command that got no answer: the same id is done once.")
@click.argument("words", nargs=-1, required=True, metavar="COMMAND KEY=VALUE... | FILE | -")
def do(config_path: Path, *, as_json: bool, cmd_id: str, words: tuple[str, ...]) -> None:
    """Do one ledger command: words, or a JSON object from a FILE or from standard input (-).

    The command's id is printed before it is sent. When no answer comes, the same line with that --cmd-id
    gives the result if it was done, and does it if it was not.

    \b
    Examples:
      bodega ledger do receive sku_id=OAT-1L quantity=2 unit=case lot=L42 expiry=2027-03-31
      bodega ledger do put_away sku_id=OAT-1L lot=L42 quantity=48 to_bin_id=A-01-02
      bodega ledger do count sku_id=CAM-7 bin_id=B-02-01 quantity=2 serials=S100,S101
      bodega ledger do count_begin bin_id=A-01-02
      bodega ledger do count sku_id=OAT-1L lot=L42 bin_id=A-01-02 quantity=40 basis_seq=1042
      bodega ledger do correct event=1/42 reason="typed twice"
      echo '{"command": "receive", "sku_id": "OAT-1L", "quantity": 5}' | bodega ledger do -
    """
    body = _body_of(words)
    if cmd_id:
        body["cmd_id"] = cmd_id
    made = "cmd_id" not in body
    body.setdefault("cmd_id", str(uuid4()))
    decode(body)
    if made:
        click.echo(f"cmd_id {body['cmd_id']}", err=True)
    with ControlClient.of(config_path) as agent:
        try:
            result = agent.ask("ledger.command", command=body)
        except Unavailable as error:
            again = "to be sure that it is done once, repeat it with --cmd-id " + str(body["cmd_id"])
            raise Unavailable(error.message, hint=again) from error
    if as_json:
        emit_json(result)
        return
    with ledger_of(config_path) as journal:
        for seq in result["seqs"]:
            for event in journal.events(seq - 1, 1):
                click.echo(f"event {event.seq}, {one_line(parse_node_event(event.body))}")
    for found in result.get("discrepancies", ()):
        click.echo(f"  {found['sku_id']} in {found['bin_id']}: {found['difference']:+d} against the book")
    if not result["seqs"]:
        click.echo(_nothing(result))


def _nothing(result: dict[str, Any]) -> str:
    """Why nothing was recorded."""
    if "basis_seq" in result:
        return f"Count {result['bin_id']} now, and say basis_seq={result['basis_seq']} with each count of it."
    return str(result.get("note", "The book says the same: nothing to record."))


def _body_of(words: tuple[str, ...]) -> dict[str, Any]:
    if len(words) == 1 and words[0] not in SHAPES and "=" not in words[0]:
        return _from_file(words[0])
    named = "=" not in words[0]
    body: dict[str, Any] = {"command": words[0]} if named else {}
    faults: list[FieldFault] = []
    for word in words[1:] if named else words:
        name, is_pair, text = word.partition("=")
        if not is_pair or not name:
            faults.append(FieldFault(ascii(word), "must be KEY=VALUE"))
        elif name in body:
            faults.append(FieldFault(name, "is there twice"))
        else:
            body[name] = _value(name, text)
    if faults:
        raise InvalidInput(
            "these words are no ledger command",
            hint="for example: bodega ledger do receive sku_id=OAT-1L quantity=5",
            faults=tuple(faults),
        )
    return body


def _value(name: str, text: str) -> Any:
    """A word as JSON would have it; what is not of the field's type stays text, and is refused as that."""
    if name in _NUMBERS and _WHOLE.fullmatch(text):
        return int(text)
    if name == "serials":
        return text.split(",")
    if name in {"final", "close"}:
        return _FLAGS.get(text, text)
    if name in _NESTED:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _from_file(name: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            f"'{name}' is neither a ledger command nor a file", hint=f"commands: {', '.join(SHAPES)}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"can not read '{name}': {error}", hint="give a file of UTF-8 JSON") from error
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"'{name}' is not JSON: {error}", hint="one JSON object is one command") from error
    if not isinstance(body, dict):
        raise InvalidInput(
            f"'{name}' holds no JSON object",
            hint="one object is one command; many rows: bodega ledger import",
        )
    return body

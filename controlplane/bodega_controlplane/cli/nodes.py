"""`bodegactl nodes`: make nodes known, see how far each is, set what each should run."""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path

import click

from bodega.errors import FieldFault, InvalidInput
from bodega.host.cli import LazyGroup, emit_json, emit_table, json_option
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.cli.client import HubClient, hub_command
from bodega_controlplane.cli.files import read_text
from bodega_controlplane.cli.node_diagnose import diagnose
from bodega_controlplane.cli.node_profile import in_file, read_profile
from bodega_controlplane.cli.node_text import (
    disk_text,
    health_text,
    lag_text,
    paused_text,
    spread_text,
    stock_text,
)
from bodega_controlplane.cli.paging import collect
from bodega_controlplane.cli.show import plain, plain_all, span, when


@click.group(
    cls=LazyGroup,
    lazy={
        **{
            name: f"bodega_controlplane.cli.node_insight:{name}"
            for name in ("refused", "parked", "telemetry")
        },
        "associate": "bodega_controlplane.cli.node_people:associate",
    },
)
def nodes() -> None:
    """The nodes: their profiles, sync and configuration."""


nodes.add_command(diagnose)


@nodes.command("ls")
@json_option
@hub_command
def ls(hub: HubClient, as_json: bool) -> None:
    """List all nodes with their lag and health.

    `up` is how many of the node's events the hub has not committed, `down` how many of the hub's the node
    has not applied. Both are as of the last contact. `lag` is how old the oldest fact is that the node may have
    and the hub has not: for a node that is silent the time since its last word counts, so it is never less.

    \b
    Examples:
      bodegactl nodes ls
      bodegactl nodes ls --json | jq '.nodes[] | select(.applied_seq < .head_seq)'

    JSON: {"nodes": [{node_id, name, epoch, head_seq, applied_seq, down_head_seq, down_applied_seq,
    last_contact_ms, health, desired_generation, reported_generation, diverged_seq, refused, parked,
    down_waiting, paused_at_ms, lag_ms, silent, divergence, lost_to_seq, fenced}], come_back_after_ms}; the last
    is over what time the hub asks its nodes to spread, 0 while it keeps up.
    """
    spread_ms = 0

    def page(size: int, token: str) -> tuple[list[pb.NodeStatus], str]:
        nonlocal spread_ms
        answer = hub.call(hub.nodes.ListNodes, pb.ListNodesRequest(page_size=size, page_token=token))
        spread_ms = answer.come_back_after_ms
        return list(answer.nodes), answer.next_page_token

    found = collect(sys.maxsize, page)
    if as_json:
        emit_json({"nodes": plain_all(found), "come_back_after_ms": spread_ms})
        return
    rows = [
        [
            node.node_id,
            node.epoch,
            node.head_seq,
            node.head_seq - node.applied_seq,
            lag_text(node),
            node.down_head_seq - node.down_applied_seq,
            _contact(node),
            health_text(node),
        ]
        for node in found
    ]
    headers = ["node", "epoch", "events", "up", "lag", "down", "last contact", "health"]
    emit_table(headers, rows, empty="No nodes. Make one known: bodegactl nodes register FILE.")
    if spread_ms:
        click.echo(spread_text(spread_ms))


@nodes.command("show")
@click.argument("node_id", metavar="NODE")
@json_option
@hub_command
def show(hub: HubClient, node_id: str, as_json: bool) -> None:
    """Show how far one node is with the hub, and its own word on how it is.

    \b
    Example:
      bodegactl nodes show lisbon-01

    JSON: the node, with the keys of `nodes ls`.
    """
    answer = hub.call(hub.nodes.GetNode, pb.GetNodeRequest(node_id=node_id))
    node = answer.node
    if as_json:
        emit_json(plain(node))
        return
    health = node.health
    for name, value in (
        ("node", f"{node.node_id}  ({node.name})"),
        ("health", health_text(node)),
        (
            "last contact",
            f"{_contact(node)}  ({when(node.last_contact_ms)})" if node.last_contact_ms else "never",
        ),
        ("epoch", node.epoch),
        ("up", f"{node.applied_seq} of {node.head_seq} events committed here"),
        ("down", f"{node.down_applied_seq} of {node.down_head_seq} events applied there"),
        ("fenced", node.fenced or "-"),
        ("lost here", f"events up to {node.lost_to_seq}: waiting for the node" if node.lost_to_seq else "-"),
        ("configuration", f"generation {node.reported_generation} of {node.desired_generation}"),
        ("refused", f"{node.refused} times: bodegactl nodes refused {node_id}" if node.refused else "-"),
        ("parked", f"{node.parked} events: bodegactl nodes parked {node_id}" if node.parked else "-"),
        ("waiting", f"{node.down_waiting} SKUs, sent as the node applies them" if node.down_waiting else "-"),
        ("lag", lag_text(node)),
        ("sync", paused_text(node)),
        ("stock", stock_text(node)),
        ("agent", health.version or "-"),
        ("vision", health.vision_provider or "-"),
        ("disk free", f"{health.disk_free_bytes / 1024**2:,.0f} MiB" if node.HasField("health") else "-"),
        ("disk", disk_text(node) or "-"),
        ("ledger", health.ledger_problem or "-"),
        ("oldest unsent", span(health.oldest_unacked_ms) if node.HasField("health") else "-"),
    ):
        click.echo(f"{name:<14} {value}")
    if answer.come_back_after_ms:
        click.echo(spread_text(answer.come_back_after_ms))


@nodes.command("register")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@hub_command
def register(hub: HubClient, file: Path, as_json: bool) -> None:
    """Make a node known from its profile, or replace the profile of a known one.

    FILE is TOML, or JSON if its name ends in .json. Prints what the node needs in its agent.toml, with
    the hub's public key: the node believes only acknowledgements that are signed with it.

    \b
    Example:
      bodegactl nodes register lisbon-01.toml

    \b
    A profile:
      node_id = "lisbon-01"
      name = "Lisbon, Rua Nova"
      location = { latitude = 38.7223, longitude = -9.1393 }
      ship_from = ["Bodega Lisbon", "Rua Nova 1", "1100-001 Lisboa"]
      bins = [{ bin_id = "A-01-01", walk_order = 1 }, { bin_id = "A-01-02", walk_order = 2 }]
      [sscc_range]
      extension = 3
      company_prefix = "5600000"
      first_serial = 0
      last_serial = 99999

    It may go on with time_zone, [[cartons]], [[associates]] (bodegactl nodes associate), [[carrier_services]] with
    their rate cards, and [[tracking_ranges]]: see the control plane's README.

    JSON: {"node_id", "hub_verify_key", "agent_toml"}.
    """
    text = read_text(file)
    profile = read_profile(text, file)
    try:
        answer = hub.call(hub.nodes.RegisterNode, pb.RegisterNodeRequest(profile=profile))
    except InvalidInput as error:
        error.faults = tuple(in_file(fault, text) for fault in error.faults)
        raise
    key = base64.b64encode(answer.hub_verify_key).decode()
    lines = _agent_toml(profile.node_id, key)
    if as_json:
        emit_json({"node_id": profile.node_id, "hub_verify_key": key, "agent_toml": lines})
        return
    click.echo(f"{profile.node_id} is known, with {len(profile.bins)} bins. The hub's key is {key}.\n")
    click.echo(f"Put this into its agent.toml, with the address of your broker:\n\n{lines}", nl=False)


@nodes.command("configure")
@click.argument("node_id", metavar="NODE")
@click.argument("settings", metavar="KEY=VALUE...", nargs=-1, required=True)
@json_option
@hub_command
def configure(hub: HubClient, node_id: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Set the configuration that a node should run; it replaces the one before.

    The hub signs it and sends it; the node checks it, and reports the generation that it runs
    (`nodes show`). A node that is out of touch gets it when it is back.

    \b
    Example:
      bodegactl nodes configure lisbon-01 vision.mode=blocking

    JSON: {"node_id", "generation"}.
    """
    request = pb.SetDesiredStateRequest(node_id=node_id, settings=_settings(settings))
    generation = hub.call(hub.nodes.SetDesiredState, request).generation
    if as_json:
        emit_json({"node_id": node_id, "generation": generation})
        return
    click.echo(
        f"Generation {generation} is on its way to {node_id}. See it arrive: bodegactl nodes show {node_id}"
    )


@nodes.command("readmit")
@click.argument("node_id", metavar="NODE")
@click.option("--reason", required=True, help="Why it is the right machine; kept in the audit.")
@json_option
@hub_command
def readmit(hub: HubClient, node_id: str, reason: str, as_json: bool) -> None:
    """Let a node that is fenced begin a new epoch of its journal.

    For a node that lost its disk, that runs from a copy of another, or whose journal is not the one that the
    hub has. Stop every other agent of it first: while one is alive the hub refuses. The node comes back by
    itself within a minute; what it wrote beside the hub's line is judged, kept, and told as a conflict.

    \b
    Example:
      bodegactl nodes readmit lisbon-01 --reason "new disk, the old box is switched off"

    JSON: {"node_id", "ends_ms"}.
    """
    ends_ms = hub.call(hub.nodes.ReadmitNode, pb.ReadmitNodeRequest(node_id=node_id, reason=reason)).ends_ms
    if as_json:
        emit_json({"node_id": node_id, "ends_ms": ends_ms})
        return
    click.echo(
        f"{node_id} may begin a new epoch until {when(ends_ms)}. See it: bodegactl nodes show {node_id}"
    )


def _settings(pairs: tuple[str, ...]) -> dict[str, str]:
    faults = []
    settings: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (equals and key):
            faults.append(FieldFault(pair, "is not KEY=VALUE"))
        elif key in settings:
            faults.append(FieldFault(key, "is given twice"))
        settings[key] = value
    if faults:
        raise InvalidInput(
            "the settings have faults", hint="such as vision.mode=advisory", faults=tuple(faults)
        )
    return settings


def _agent_toml(node_id: str, key: str) -> str:
    return (
        f'node_id = "{node_id}"\n'
        'state_dir = "/var/lib/bodega"\n\n'
        "[hub]\n"
        'nats_url = "tls://broker.example.net:4222"\n'
        f'nats_user = "{node_id}"\n'
        'nats_password_file = "/etc/bodega/nats.password"\n'
        f'verify_key = "{key}"\n'
    )


def _contact(node: pb.NodeStatus) -> str:
    if not node.last_contact_ms:
        return "never"
    return f"{span(max(0, int(time.time() * 1000) - node.last_contact_ms))} ago"

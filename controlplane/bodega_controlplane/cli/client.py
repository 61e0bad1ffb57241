"""The gRPC client behind every command: where the hub is, who we are, and what to say when it fails.

Plain HTTP/2 is used on loopback only; anywhere else the channel is TLS, so the operator's token never
crosses a network in the clear.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click
import grpc

from bodega.broker.rpc_errors import CODE_KEY, from_status
from bodega.errors import BodegaError, ConfigInvalid, InvalidInput, Unauthenticated, Unavailable
from bodega.host.addresses import is_loopback
from bodega.limits import OPERATOR_CALL_S
from bodega.v1 import (
    channels_pb2_grpc,
    expectations_pb2_grpc,
    insight_pb2_grpc,
    privacy_pb2_grpc,
    proposals_pb2_grpc,
    rates_pb2_grpc,
    routing_pb2_grpc,
    transfers_pb2_grpc,
    webhooks_pb2_grpc,
)
from bodega.v1 import conflicts_pb2_grpc as conflict_services
from bodega.v1 import controlplane_pb2_grpc as services
from bodega_controlplane.cli.location import DEFAULT_HUB, DEFAULT_TOKEN_FILE, from_command_line

Q = TypeVar("Q")
R = TypeVar("R")

_GIVE_TOKEN = "give the hub's operator.token with --token-file FILE or BODEGACTL_TOKEN_FILE"  # noqa: S105 - it tells where the token is, it is none


class HubClient:
    """Stubs of every service over one channel, opened at the first call.

    `address`: HOST:PORT. `token_file`: holds the operator's token. `ca_file`: PEM roots for TLS; None means
    the system's roots off loopback, and no TLS on loopback.
    """

    def __init__(self, address: str, token_file: Path, ca_file: Path | None) -> None:
        self._address = address
        self._token_file = token_file
        self._ca_file = ca_file

    @cached_property
    def catalogue(self) -> services.CatalogueServiceStub:
        """What is sold."""
        return services.CatalogueServiceStub(self._channel)

    @cached_property
    def orders(self) -> services.OrderServiceStub:
        """Orders."""
        return services.OrderServiceStub(self._channel)

    @cached_property
    def stock(self) -> services.StockServiceStub:
        """Stock over all nodes."""
        return services.StockServiceStub(self._channel)

    @cached_property
    def rights(self) -> services.RightsServiceStub:
        """The right to promise."""
        return services.RightsServiceStub(self._channel)

    @cached_property
    def privacy(self) -> privacy_pb2_grpc.PrivacyServiceStub:
        """What is kept no more."""
        return privacy_pb2_grpc.PrivacyServiceStub(self._channel)

    @cached_property
    def webhooks(self) -> webhooks_pb2_grpc.WebhookServiceStub:
        """What the world outside is told."""
        return webhooks_pb2_grpc.WebhookServiceStub(self._channel)

    @cached_property
    def nodes(self) -> services.NodeServiceStub:
        """The nodes."""
        return services.NodeServiceStub(self._channel)

    @cached_property
    def expectations(self) -> expectations_pb2_grpc.ExpectationServiceStub:
        """Goods that are on their way to a node."""
        return expectations_pb2_grpc.ExpectationServiceStub(self._channel)

    @cached_property
    def insight(self) -> insight_pb2_grpc.InsightServiceStub:
        """What nodes sent that has no place in the books."""
        return insight_pb2_grpc.InsightServiceStub(self._channel)

    @cached_property
    def decisions(self) -> services.DecisionServiceStub:
        """Why things are as they are."""
        return services.DecisionServiceStub(self._channel)

    @cached_property
    def conflicts(self) -> conflict_services.ConflictServiceStub:
        """Facts that met, and what people decide."""
        return conflict_services.ConflictServiceStub(self._channel)

    @cached_property
    def audit(self) -> services.AuditServiceStub:
        """Who changed what."""
        return services.AuditServiceStub(self._channel)

    @cached_property
    def transfers(self) -> transfers_pb2_grpc.TransferServiceStub:
        """Goods between nodes."""
        return transfers_pb2_grpc.TransferServiceStub(self._channel)

    @cached_property
    def routing(self) -> routing_pb2_grpc.RoutingServiceStub:
        """Routing bundles and decisions."""
        return routing_pb2_grpc.RoutingServiceStub(self._channel)

    @cached_property
    def rates(self) -> rates_pb2_grpc.RateServiceStub:
        """What carriers take."""
        return rates_pb2_grpc.RateServiceStub(self._channel)

    @cached_property
    def proposals(self) -> proposals_pb2_grpc.ProposalServiceStub:
        """Edits from nodes."""
        return proposals_pb2_grpc.ProposalServiceStub(self._channel)

    @cached_property
    def channels(self) -> channels_pb2_grpc.ChannelServiceStub:
        """Who may use the storefront API."""
        return channels_pb2_grpc.ChannelServiceStub(self._channel)

    def call(self, method: grpc.UnaryUnaryMultiCallable[Q, R], request: Q) -> R:
        """Call one method of a stub; every failure is raised as an error of Bodega."""
        metadata = (("authorization", f"Bearer {self._token}"),)
        try:
            return method(request, timeout=OPERATOR_CALL_S, metadata=metadata)
        except grpc.RpcError as error:
            raise self._explained(error) from error

    def converse(
        self, method: grpc.StreamStreamMultiCallable[Q, R], requests: Iterator[Q], lasts_s: float
    ) -> Iterator[R]:
        """What a method of a stub answers while it is sent requests; every failure is raised as an error of Bodega."""
        metadata = (("authorization", f"Bearer {self._token}"),)
        call = method(requests, timeout=lasts_s, metadata=metadata)
        try:
            yield from call
        except grpc.RpcError as error:
            raise self._explained(error) from error
        finally:
            call.cancel()

    def close(self) -> None:
        """Give the connection back, if there is one."""
        if "_channel" in self.__dict__:
            self._channel.close()

    @cached_property
    def _channel(self) -> grpc.Channel:
        host, colon, port = self._address.rpartition(":")
        if not (host and colon and port.isdigit()):
            raise InvalidInput(f"--hub {self._address} is not HOST:PORT", hint=f"such as --hub {DEFAULT_HUB}")
        # A call fails at once when nobody listens, instead of after a while of reconnecting.
        options = (("grpc.enable_retries", 0),)
        if self._ca_file is None and is_loopback(host.strip("[]")):
            return grpc.insecure_channel(self._address, options)
        roots = _read(self._ca_file, "--ca-file") if self._ca_file else None
        return grpc.secure_channel(self._address, grpc.ssl_channel_credentials(roots), options)

    @cached_property
    def _token(self) -> str:
        try:
            token = self._token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not a token"
            raise Unauthenticated(
                f"no operator token: {self._token_file}: {reason}", hint=_GIVE_TOKEN
            ) from error
        if not token or not token.isprintable():
            raise Unauthenticated(f"no operator token: {self._token_file} holds none", hint=_GIVE_TOKEN)
        return token

    def _explained(self, error: grpc.RpcError) -> BodegaError:
        status, message = error.code(), error.details() or ""
        trailers = [(item.key, item.value) for item in error.trailing_metadata() or ()]
        ours = any(key == CODE_KEY for key, _ in trailers)
        if ours:
            explained = from_status(status, message, trailers)
            if isinstance(explained, Unauthenticated):
                explained.hint = _GIVE_TOKEN
            return explained
        if status is grpc.StatusCode.UNAVAILABLE:
            return Unavailable(
                f"no control plane answers at {self._address}: {message.rpartition(': ')[2]}",
                hint="is `bodegactl serve` running? say where with --hub HOST:PORT or BODEGACTL_HUB "
                "(its ready line and endpoints.json name the port)",
            )
        if status is grpc.StatusCode.DEADLINE_EXCEEDED:
            return Unavailable(
                f"the control plane at {self._address} did not answer in time",
                hint="try again; a read may be repeated safely, and so may every write of this tool",
            )
        return from_status(status, f"{self._address} answered {status.name}: {message}", trailers)


def _read(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigInvalid(
            f"{option} {path}: {error.strerror}", hint="give a file with PEM certificates"
        ) from error


def hub_command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a command a client: adds --hub, --token-file and --ca-file, and passes `hub`, a HubClient."""

    @from_command_line
    @click.pass_context
    @functools.wraps(function)
    def run(context: click.Context, *args: Any, **options: Any) -> Any:
        before = context.obj or {}  # what was said before the command's name
        given = {name: options.pop(name) or before.get(name) for name in ("address", "token_file", "ca_file")}
        token_file = given["token_file"] or Path(DEFAULT_TOKEN_FILE)
        client = HubClient(given["address"] or DEFAULT_HUB, token_file, given["ca_file"])
        try:
            return function(*args, hub=client, **options)
        finally:
            client.close()

    return run

"""The composition root of the control plane: the only place that names concrete parts and wires them.

Order of start: addresses, database, keys, broker link, faces. It is ready when it can take orders; the broker
may come later. On SIGTERM the transactions in hand are finished and everything stops within STOP_S.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from bodega import __version__
from bodega.broker.connection import Broker
from bodega.errors import AddressInUse, ConfigInvalid, FieldFault, PermissionRefused
from bodega.host import log as logs
from bodega.host.notify import notify, watchdog_interval_s
from bodega.host.tasks import end
from bodega.limits import STOP_S
from bodega_controlplane.app.applying.parked import apply_parked
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.artifacts import Shelf
from bodega_controlplane.authority import load_authority
from bodega_controlplane.carriers.registry import open_carrier
from bodega_controlplane.config import (
    ControlPlaneConfig,
    ExchangeConfig,
    ListenConfig,
    NatsConfig,
    WebhooksConfig,
    load_config,
)
from bodega_controlplane.exchange.folder import FolderExchange
from bodega_controlplane.exchange.places import Places, load_places
from bodega_controlplane.keys import Tokens, load_hub_key, load_tokens
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.services import rounds
from bodega_controlplane.services.carriers import CarrierService
from bodega_controlplane.services.delivering import DeliveryService
from bodega_controlplane.services.exchange import ExchangeService
from bodega_controlplane.services.linking import LinkService
from bodega_controlplane.services.rates import RateService
from bodega_controlplane.services.reconciling import Reconciler
from bodega_controlplane.services.routing_watch import RoutingWatch
from bodega_controlplane.services.telling import TellingService
from bodega_controlplane.services.upkeep import UpkeepService
from bodega_controlplane.store.engine import open_store
from bodega_controlplane.transport.nats_fleet import NatsFleet

if TYPE_CHECKING:
    from bodega_controlplane.api.node.services import NodeServices  # it brings gRPC: see _grpc

log = logs.get_logger(__name__)

# Of STOP_S, what requests in hand of each face get before they are cut; the rest is for the database.
_GRACE_S = 0.3 * STOP_S

_BACKLOG = 512
# Objects made before a garbage collection looks at them: those of a few orders.
_NEW_OBJECTS_MAX = 20_000


# Without a watchdog to feed.
_IDLE_S = 60.0


def main(path: Path) -> None:
    """`bodegactl serve`: until SIGTERM or SIGINT. Raises what keeps it from starting."""
    config = load_config(path)
    # Everything that it writes (orders with addresses, keys, tokens) is for its own user only.
    os.umask(0o077)
    logs.configure(level=config.log_level)
    with logs.last_words():
        asyncio.run(_main(config))


async def _main(config: ControlPlaneConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(config, stop)


async def serve(config: ControlPlaneConfig, stop: asyncio.Event) -> None:
    """Serve until `stop` is set.

    Raises AddressInUse, SchemaTooNew, ConfigInvalid, PermissionRefused, Unavailable (database away).
    """
    async with AsyncExitStack() as parts:
        try:
            http, grpc = await _start(config, parts, stop)
            _write_endpoints(config, http, grpc)
            _settle()
            log.info("ready", version=__version__, http_port=http, grpc_port=grpc)
            notify("READY=1")
            await stop.wait()
        finally:
            log.info("stopping")
            notify("STOPPING=1")
    log.info("stopped")


async def _start(config: ControlPlaneConfig, parts: AsyncExitStack, stop: asyncio.Event) -> tuple[int, int]:
    """Start every part; the ports of HTTP and gRPC."""
    # What the configuration names is looked at first: what is wrong with it is told before anything has begun.
    carriers = [open_carrier(one.driver, one.name, one.options) for one in config.carriers]
    places = load_places(config.exchange.places) if config.exchange and config.exchange.places else Places()
    _make_data_dir(config.data_dir)
    channel = parts.enter_context(contextlib.closing(_listen("http", config.http)))
    store = await asyncio.to_thread(open_store, config.database, config.data_dir)
    hub = Hub(store, load_hub_key(config.data_dir), Policy(config.promise.safety_stock))
    hub.reach = config.webhooks.reach
    hub.recipients_kept_days = config.privacy.recipients_kept_days
    parts.callback(hub.close)
    await apply_parked(hub)
    routing = RoutingWatch(hub)
    await routing.begin()
    tokens = load_tokens(config.data_dir)
    # gRPC shares a taken port with whoever has it; a socket of our own tells it apart.
    _listen("grpc", config.grpc).close()
    services = cache(lambda: _node_services(hub, config.data_dir))
    calls = cache(lambda: services().over_the_broker())
    fleet = NatsFleet(_broker(config.nats), calls, replicas=config.nats.replicas)
    hub.channel_to = fleet.channel
    # Nodes wait for the link and nothing else, so it comes up while the faces are still loading.
    await parts.enter_async_context(_running(LinkService(hub, fleet).run(), stop))
    await asyncio.to_thread(_load_faces)
    grpc_port = await parts.enter_async_context(_grpc(config.grpc, hub, tokens, stop))
    await parts.enter_async_context(_http(config.http, channel, hub, tokens))
    offered = services()  # makes the authority at the first start
    if config.nodes is not None:
        await parts.enter_async_context(_nodes(config.nodes, offered))
    await parts.enter_async_context(_running(Reconciler(hub, fleet.channel).run(), stop))
    await parts.enter_async_context(
        _running(UpkeepService(hub, lease_s=config.orders.node_lease_s).run(), stop)
    )
    await parts.enter_async_context(_running(RateService(hub).run(), stop))
    await parts.enter_async_context(_running(CarrierService(hub, carriers).run(), stop))
    if config.exchange is not None:
        files = _exchange(hub, config.exchange, places)
        await parts.enter_async_context(_running(files.run(), stop))
    await parts.enter_async_context(_running(rounds.keep(hub), stop))
    await parts.enter_async_context(_running(routing.run(), stop))
    await parts.enter_async_context(_running(_telling(hub, config.webhooks), stop))
    await parts.enter_async_context(_running(_watchdog(), stop))
    return channel.getsockname()[1], grpc_port


def _settle() -> None:
    """What has been loaded stays: a full garbage collection, which stops everything, takes 1 ms instead of 80.

    An order makes some thousand objects that end with it; looking for circles among them is put off.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS_MAX)


async def _telling(hub: Hub, config: WebhooksConfig) -> None:
    """Events are numbered, and webhooks called with them."""
    from bodega_controlplane.services.posting import Poster  # noqa: PLC0415 - it brings httpx: see _grpc

    deliveries = DeliveryService(hub, await asyncio.to_thread(Poster, hub.reach, config.ca_file))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(deliveries.run(), name="webhooks")
        tasks.create_task(TellingService(hub, deliveries.wake).run(), name="events")


def _load_faces() -> None:
    """Half of a start is the loading of gRPC and HTTP."""
    for name in ("api.grpc.server", "api.grpc.binding", "api.node.services", "api.http.app"):
        importlib.import_module(f"bodega_controlplane.{name}")


def _node_services(hub: Hub, data_dir: Path) -> NodeServices:
    """What nodes may call."""
    from bodega_controlplane.api.node.services import NodeServices  # noqa: PLC0415 - see _grpc

    return NodeServices(hub, Shelf(data_dir / "artifacts"), load_authority(data_dir, hub.now_ms()))


@asynccontextmanager
async def _nodes(config: ListenConfig, services: NodeServices) -> AsyncIterator[None]:
    """The same services over HTTP/2, for nodes with a certificate."""
    from bodega_controlplane.api.grpc.binding import bind  # noqa: PLC0415 - see _grpc

    _listen("nodes", config).close()
    server = services.over_http2()
    address = _address(config.host, config.port)
    port = bind(server, address, config.tls, clients=services.authority.certificate)
    await server.start()
    log.info("nodes_may_call", port=port)
    try:
        yield
    finally:
        await server.stop(_GRACE_S)


def _exchange(hub: Hub, config: ExchangeConfig, places: Places) -> ExchangeService:
    keep_s = config.kept_days * 24 * 3600
    return ExchangeService(hub, FolderExchange(config.folder), config.channel, places.find, keep_s=keep_s)


def _broker(config: NatsConfig) -> Broker:
    return Broker(config.url, config.user, config.password_file)


def _make_data_dir(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PermissionRefused(
            f"cannot make the data folder {path}: {error.strerror}", hint="see data_dir in the configuration"
        ) from error


def _listen(name: str, config: ListenConfig) -> socket.socket:
    """A listening socket, or AddressInUse: one clear line, before anything else has begun."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    channel = socket.socket(family, socket.SOCK_STREAM)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        channel.bind((config.host, config.port))
        channel.listen(_BACKLOG)
    except OSError as error:
        channel.close()
        raise AddressInUse(
            f"cannot listen on {_address(config.host, config.port)} for {name}: {error.strerror}",
            hint=f"stop whatever listens there, or set another port in [{name}]; 0 chooses a free one",
        ) from error
    channel.setblocking(False)  # noqa: FBT003 - the name of the method says what is set
    return channel


@asynccontextmanager
async def _grpc(config: ListenConfig, hub: Hub, tokens: Tokens, stop: asyncio.Event) -> AsyncIterator[int]:
    # Imported here, as is HTTP: a port in use is told without loading either.
    from bodega_controlplane.api.grpc.binding import bind  # noqa: PLC0415 - see the sentence above
    from bodega_controlplane.api.grpc.health import Health  # noqa: PLC0415 - see the sentence above
    from bodega_controlplane.api.grpc.server import SERVICES, build_server  # noqa: PLC0415 - see the sentence above

    health = Health(SERVICES)
    server = build_server(hub, tokens, health)
    port = bind(server, _address(config.host, config.port), config.tls)
    await health.look(hub)
    await server.start()
    try:
        async with _running(health.watch(hub), stop):
            yield port
    finally:
        await health.enter_graceful_shutdown()
        await server.stop(_GRACE_S)


class _Uvicorn(uvicorn.Server):
    """Signals are ours: one SIGTERM stops the whole process in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _http(
    config: ListenConfig, channel: socket.socket, hub: Hub, tokens: Tokens
) -> AsyncIterator[None]:
    from bodega_controlplane.api.http.app import build_app  # noqa: PLC0415 - see _grpc

    certificate, key = config.tls or (None, None)
    settings = uvicorn.Config(
        build_app(hub, tokens),
        http="httptools",
        lifespan="off",
        # Nothing here asks for a client's address, so nobody may tell us one.
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(_GRACE_S),
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    try:
        settings.load()
    except OSError as error:
        fault = FieldFault("http.tls_cert", f"cannot be used: {error}")
        raise ConfigInvalid("the TLS files cannot be used", faults=(fault,)) from error
    server = _Uvicorn(settings)
    serving = asyncio.create_task(server.serve(sockets=[channel]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def _running(work: Coroutine[None, None, None], stop: asyncio.Event) -> AsyncIterator[None]:
    """Run a part beside the others; one that fails takes the process down, and says so."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        lost = task.cancelled()
        await end([task])
        if not task.cancelled():
            await task
        if lost:
            raise RuntimeError(f"{work} took something else for a cancel")


async def _watchdog() -> None:
    """Tell systemd that the event loop turns; a loop that hangs is restarted by it."""
    interval_s = watchdog_interval_s()
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(interval_s or _IDLE_S)


def _write_endpoints(config: ControlPlaneConfig, http_port: int, grpc_port: int) -> None:
    """endpoints.json in the data folder, for whoever asked for port 0; replaced whole, never half."""
    scheme = "https" if config.http.tls else "http"
    ends = {
        "http": f"{scheme}://{_address(config.http.host, http_port)}",
        "grpc": _address(config.grpc.host, grpc_port),
    }
    path = config.data_dir / "endpoints.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(ends) + "\n", encoding="utf-8")
    draft.replace(path)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
